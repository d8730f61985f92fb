#include "shuffle/engine/unpacked_groups.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <utility>
#include <vector>

#include "shuffle/record/packed_values.h"

namespace spillway {
namespace {

std::string Pack(const std::vector<std::string>& values) {
  std::string pack;
  for (const std::string& value : values) {
    std::string packed(PackedBytes(static_cast<std::uint32_t>(value.size())), '\0');
    PackValue(value, packed.data());
    pack += packed;
  }
  return pack;
}

/// Packed records with group starts, and what they unpack to.
struct Packs {
  std::vector<std::string> fields;  ///< Keys and packs, alternately.
  std::vector<std::uint32_t> groups;
  std::vector<std::pair<std::string, std::string>> pairs;
  std::vector<std::size_t> group_pairs;  ///< Indices in `pairs`.

  std::vector<Record> records() const {
    std::vector<Record> records;
    for (std::size_t i = 0; i < fields.size(); i += 2)
      records.push_back(MakeRecord(fields[i], fields[i + 1]));
    return records;
  }
};

Packs RandomPacks(std::uint64_t seed, bool goes_on) {
  std::mt19937_64 random(seed);
  Packs packs;
  std::string key = "first";
  for (std::uint32_t i = 0; i < 50; ++i) {
    if (i == 0 ? !goes_on : random() % 2 == 0) {
      packs.groups.push_back(i);
      packs.group_pairs.push_back(packs.pairs.size());
      key = "key" + std::to_string(i);
    }
    std::vector<std::string> values(1 + random() % (random() % 8 == 0 ? 60 : 3));
    const bool even = random() % 2 == 0;
    for (std::string& value : values) {
      value.assign(even ? 12 : random() % (random() % 8 == 0 ? 70'000 : 200), 'v');
      packs.pairs.emplace_back(key, value);
    }
    packs.fields.push_back(key);
    packs.fields.push_back(Pack(values));
  }
  return packs;
}

TEST(UnpackedGroups, UnpacksInOrderWithGroupsWhereTheyBegan) {
  for (const std::uint32_t batch_records : {1u, 2u, 7u, 4096u}) {
    UnpackedGroups unpacked(batch_records);
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
      SCOPED_TRACE(testing::Message() << "batches of " << batch_records << ", seed " << seed);
      const Packs packs = RandomPacks(seed, seed % 2 == 0);
      const std::vector<Record> records = packs.records();
      unpacked.Open({records, packs.groups});
      std::vector<std::pair<std::string, std::string>> pairs;
      std::vector<std::size_t> groups;
      while (!unpacked.used_up()) {
        const Result<GroupBatch> batch = unpacked.Next();
        ASSERT_TRUE(batch.ok()) << batch.status().message();
        ASSERT_FALSE(batch->records.empty());
        ASSERT_LE(batch->records.size(), batch_records);
        for (const std::uint32_t group : batch->groups) groups.push_back(pairs.size() + group);
        for (const Record& record : batch->records)
          pairs.emplace_back(KeyOf(record), ValueOf(record));
      }
      EXPECT_TRUE(pairs == packs.pairs);
      EXPECT_EQ(groups, packs.group_pairs);
    }
  }
}

TEST(UnpackedGroups, CallsEveryMalformedPackDataLoss) {
  const std::string pack = Pack({"abc", "", "defg", std::string(200, 'x')});
  std::vector<std::string> malformed = {""};
  // Every cut but those between values.
  for (std::size_t bytes = 1; bytes < pack.size(); ++bytes)
    if (bytes != 4 && bytes != 5 && bytes != 10) malformed.push_back(pack.substr(0, bytes));
  malformed.push_back(std::string("\xff\xff\xff\xff\x0f", 5));
  malformed.push_back(std::string("\xff\xff\xff\xff\xff\xff", 6));
  malformed.push_back("\x80");
  for (const std::string& bytes : malformed) {
    SCOPED_TRACE(testing::Message() << bytes.size() << " bytes");
    // Of exactly this size, for the address sanitizer.
    const auto exact = std::make_unique<char[]>(bytes.size());
    std::copy(bytes.begin(), bytes.end(), exact.get());
    const Record record = MakeRecord("key", {exact.get(), bytes.size()});
    const std::uint32_t group = 0;
    UnpackedGroups unpacked(4096);
    unpacked.Open({{&record, 1}, {&group, 1}});
    const Result<GroupBatch> batch = unpacked.Next();
    ASSERT_FALSE(batch.ok());
    EXPECT_EQ(batch.status().code(), Code::kDataLoss);
  }
}

TEST(UnpackedGroups, SurvivesRandomBytes) {
  std::mt19937_64 random(3);
  SCOPED_TRACE("seed 3");
  UnpackedGroups unpacked(16);
  for (int round = 0; round < 20'000; ++round) {
    const std::size_t bytes = random() % 40;
    const auto exact = std::make_unique<char[]>(bytes);
    for (std::size_t i = 0; i < bytes; ++i)
      exact[i] = static_cast<char>(random() % 4 == 0 ? random() : random() % 6);
    const Record record = MakeRecord("key", {exact.get(), bytes});
    unpacked.Open({{&record, 1}, {}});
    std::size_t unpacked_bytes = 0;
    while (!unpacked.used_up()) {
      const Result<GroupBatch> batch = unpacked.Next();
      if (!batch.ok()) break;
      for (const Record& value : batch->records) unpacked_bytes += 1 + value.value_bytes;
    }
    EXPECT_LE(unpacked_bytes, bytes);
  }
}

}  // namespace
}  // namespace spillway
