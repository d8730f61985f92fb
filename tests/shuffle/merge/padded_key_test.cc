#include "shuffle/merge/padded_key.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>

namespace spillway {
namespace {

std::string Padded(std::string key, char padding) {
  return key + std::string(SPILLWAY_PADDING_BYTES, padding);
}

TEST(PaddedKeyTest, ReadsWhatWasEncoded) {
  for (const std::size_t key_bytes : {0, 1, 127, 128, 16383, 16384}) {
    for (const std::size_t value_bytes : {0, 1, 127, 128, 70000}) {
      const std::string key(key_bytes, 'k');
      const std::string value(value_bytes, 'v');
      const Record record = MakeRecord(key, value);
      const std::size_t bytes = EncodedBytes(record.key_bytes, record.value_bytes);
      std::string encoded(bytes + SPILLWAY_PADDING_BYTES, '\xff');
      EncodeRecord(record, encoded.data());
      Record read;
      EXPECT_EQ(ReadRecord(encoded.data(), &read), encoded.data() + bytes);
      EXPECT_EQ(KeyOf(read), key);
      EXPECT_EQ(ValueOf(read), value);
      EXPECT_EQ(KeyAt(encoded.data()), key);
    }
  }
}

TEST(PaddedKeyTest, PrefixBehindSkippedBytesIsThatOfTheRest) {
  const std::string key =
      "\xff\x80"
      "abc"
      "\x01"
      "defgh";
  for (std::size_t bytes = 0; bytes <= key.size(); ++bytes)
    for (std::size_t skip = 0; skip <= key.size() + 2; ++skip) {
      const std::string padded = Padded(key.substr(0, bytes), '\xee');
      const std::string rest = skip < bytes ? key.substr(skip, bytes - skip) : "";
      EXPECT_EQ(PaddedPrefix({padded.data(), bytes}, skip),
                KeyPrefix(rest.data(), static_cast<std::uint32_t>(rest.size())));
    }
}

TEST(PaddedKeyTest, CommonBytesIgnoresThePadding) {
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    std::mt19937_64 random(seed);
    std::string a(random() % 30, 'x');
    std::string b(random() % 30, 'x');
    if (!a.empty() && random() % 2 == 0) a[random() % a.size()] = 'y';
    std::size_t expected = 0;
    while (expected < std::min(a.size(), b.size()) && a[expected] == b[expected]) ++expected;
    const std::string padded_a = Padded(a, 'p');
    const std::string padded_b = Padded(b, random() % 2 == 0 ? 'p' : 'q');
    const std::size_t known = random() % (expected + 1);
    EXPECT_EQ(CommonBytes({padded_a.data(), a.size()}, {padded_b.data(), b.size()}, known),
              expected);
  }
}

TEST(PaddedKeyTest, CopyOutlivesTheKeyAndIsPadded) {
  PaddedKey copy;
  for (const char* text : {"a longer key than the next", "", "short"}) {
    std::string key = text;
    copy.Assign(key);
    key.assign(key.size(), '?');
    EXPECT_EQ(copy.view(), text);
    for (std::size_t i = 0; i < SPILLWAY_PADDING_BYTES; ++i)
      EXPECT_EQ(copy.view().data()[copy.view().size() + i], '\0');
  }
}

}  // namespace
}  // namespace spillway
