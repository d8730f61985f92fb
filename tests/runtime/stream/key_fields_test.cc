#include "runtime/stream/key_fields.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace spillway {
namespace {

KeyFields Fields(std::string_view words, char separator = '\t') {
  auto fields = KeyFields::Parse(words, separator);
  EXPECT_TRUE(fields.ok()) << fields.status().message();
  return std::move(fields).value();
}

std::string Order(std::string_view words, std::string_view key) {
  std::string bytes;
  Fields(words).AppendOrder(key, &bytes);
  return bytes;
}

/// Each of the keys stands before the next one.
void ExpectOrder(std::string_view words, const std::vector<std::string>& keys) {
  for (std::size_t i = 1; i < keys.size(); ++i)
    EXPECT_LT(Order(words, keys[i - 1]), Order(words, keys[i])) << keys[i - 1] << " " << keys[i];
}

TEST(KeyFields, OrderTextsByBytesShorterFirst) {
  const std::string nul(1, '\0');
  ExpectOrder("-k1,1", {"", nul, nul + nul, "a", "a" + nul, "a" + nul + "b", "ab", "\xff"});
  ExpectOrder("-k1,1r", {"\xff", "ab", "a" + nul, "a", nul, ""});
  ExpectOrder("-k1,1 -k2,2", {"a\tz", "ab\ta", "ab\tb"});
  ExpectOrder("-k2", {"z\ta", "y\ta\tb", "x\tb"});
}

TEST(KeyFields, OrderNumbersOfAnyLength) {
  const std::vector<std::string> up = {"-10000000000000000000000",
                                       "-12",
                                       "-9.5",
                                       "-9",
                                       "-0.5",
                                       "0",
                                       "0.05",
                                       "0.5",
                                       "1",
                                       "1.25",
                                       "9",
                                       "12",
                                       "10000000000000000000000"};
  ExpectOrder("-n", up);
  ExpectOrder("-nr", {up.rbegin(), up.rend()});
  for (const char* zero : {"", "-0", "00.0", "x", "-"})
    EXPECT_EQ(Order("-n", zero), Order("-n", "0"));
  EXPECT_EQ(Order("-n", "007.50"), Order("-n", " 7.5"));
}

TEST(KeyFields, AreFoundByFieldAndByte) {
  EXPECT_EQ(Order("-k2.2,2.3", "a\tbcde\tf"), Order("-k1", "cd"));
  EXPECT_EQ(Order("-k1.2,2", "abc\tde\tf"), Order("-k1", "bc\tde"));
  EXPECT_EQ(Order("-k3,3", "a\tb"), Order("-k1", ""));
  EXPECT_EQ(Order("-r -k1,1n", "5"), Order("-k1,1n", "5")) << "its own flags stand";
  EXPECT_EQ(Order("-r -k 1,1", "5"), Order("-k1,1r", "5"));
}

TEST(KeyFields, HashAsHadoopDoes) {
  EXPECT_EQ(Fields("-k1,1").Hash("ab\tc"), 31u * 'a' + 'b');
  EXPECT_EQ(Fields("").Hash("a"), static_cast<std::uint32_t>('a'));
  EXPECT_EQ(Fields("-k2,2 -k1,1").Hash("a\tb"), 31u * 'b' + 'a');
  EXPECT_EQ(Fields("-k1,2", '.').Hash("a.b.c"), (31u * 'a' + '.') * 31u + 'b');
  EXPECT_EQ(Fields("-k4").Hash("a"), 0u);
  EXPECT_EQ(Fields("-k1").Hash("\xff"), 0x7fffffffu);
}

TEST(KeyFields, RefuseWhatNamesNone) {
  for (const char* words : {"-k", "-k0", "-k1,", "-k1.0", "-kx", "-k1,2x", "k1", "-x", "-", "-k-1"})
    EXPECT_FALSE(KeyFields::Parse(words, '\t').ok()) << words;
}

}  // namespace
}  // namespace spillway
