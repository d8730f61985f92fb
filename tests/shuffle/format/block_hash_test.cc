#include "shuffle/format/block_hash.h"

#include <gtest/gtest.h>

#include "shuffle/record/packed_values.h"
#include "shuffle/record/record.h"

namespace spillway {
namespace {

std::string Encoded(std::string_view key, std::string_view value) {
  const Record record = MakeRecord(key, value);
  std::string bytes(EncodedBytes(record.key_bytes, record.value_bytes), '\0');
  EncodeRecord(record, bytes.data());
  return bytes;
}

std::string Pack(std::initializer_list<std::string_view> values) {
  std::string pack;
  for (const std::string_view value : values) {
    std::string one(PackedBytes(static_cast<std::uint32_t>(value.size())), '\0');
    PackValue(value, one.data());
    pack += one;
  }
  return pack;
}

std::uint64_t OfRecords(const std::string& block) {
  return HashOfRecords(block, RecordHash::kRecords);
}

std::uint64_t OfPacks(const std::string& block) {
  return HashOfRecords(block, RecordHash::kPackedValues);
}

TEST(BlockHash, OfRecordsIsThatOfTheirSet) {
  const std::string a = Encoded("a", "1"), b = Encoded("b", ""), c = Encoded("", "3");
  EXPECT_EQ(OfRecords(""), 0u);
  EXPECT_NE(OfRecords(c), 0u);
  EXPECT_EQ(OfRecords(a + b + c), OfRecords(c + a + b)) << "in any order";
  EXPECT_EQ(OfRecords(a + b + c), OfRecords(a) + OfRecords(b + c)) << "wherever it was cut";
  EXPECT_NE(OfRecords(a + a), OfRecords(a)) << "how often counts";
  EXPECT_NE(OfRecords(Encoded("ab", "c")), OfRecords(Encoded("a", "bc")));
}

TEST(BlockHash, OfPackedValuesIsThatOfThePairsHoweverPacked) {
  const std::string whole = Encoded("k", Pack({"1", "", "22"})) + Encoded("m", Pack({"1"}));
  const std::string cut =
      Encoded("m", Pack({"1"})) + Encoded("k", Pack({"22"})) + Encoded("k", Pack({"1", ""}));
  EXPECT_EQ(OfPacks(whole), OfPacks(cut));
  EXPECT_NE(OfPacks(whole),
            OfPacks(Encoded("k", Pack({"1", "", "22"})) + Encoded("n", Pack({"1"}))));
  EXPECT_NE(OfPacks(whole),
            OfPacks(Encoded("k", Pack({"1", "22"})) + Encoded("m", Pack({"1", ""}))))
      << "a value belongs to its key";
  EXPECT_NE(OfPacks(Encoded("k", Pack({"ab", "c"}))), OfPacks(Encoded("k", Pack({"a", "bc"}))));
}

}  // namespace
}  // namespace spillway
