#include "runtime/task/heavy_key_sampler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

namespace spillway {
namespace {

using Counts = std::map<std::string, std::pair<std::uint64_t, std::uint64_t>>;

Counts CountsOf(HeavyKeySampler& sampler) {
  Counts counts;
  for (const HeavyKey& key : sampler.keys().Heaviest({HeavyKeys::kKeysMax, 1}))
    counts[std::string(key.key)] = {key.records, key.bytes};
  return counts;
}

/// Shows `records` in batches of `batch`.
void See(const std::vector<Record>& records, std::size_t batch, HeavyKeySampler& sampler) {
  for (std::size_t at = 0; at < records.size(); at += batch)
    sampler.See(std::span(records).subspan(at, std::min(batch, records.size() - at)));
}

/// Of ten records in a row six are of "often", one each of the others.
std::vector<Record> Pattern(std::size_t count) {
  static const char* const kKeys[] = {"often", "often", "a", "often", "b",
                                      "often", "often", "c", "often", "d"};
  std::vector<Record> records;
  for (std::size_t i = 0; i < count; ++i) records.push_back(MakeRecord(kKeys[i % 10], "value"));
  return records;
}

TEST(HeavyKeySampler, FewRecordsAreCountedOneByOne) {
  HeavyKeySampler sampler({.seed = 1});
  See(Pattern(1'000), 512, sampler);
  const Counts counts = CountsOf(sampler);
  EXPECT_EQ(counts.at("often"), std::pair(600ul, 6'000ul));
  EXPECT_EQ(counts.at("a"), std::pair(100ul, 600ul));
}

TEST(HeavyKeySampler, AFoldsValuesHaveTheStatesSize) {
  HeavyKeySampler sampler({.seed = 1, .value_bytes = 8});
  See({MakeRecord("key", {})}, 512, sampler);
  EXPECT_EQ(CountsOf(sampler).at("key"), std::pair(1ul, 11ul));
}

TEST(HeavyKeySampler, KeysOfAGroupAreOne) {
  const auto first = [](const char*, std::uint32_t) -> std::uint32_t { return 1; };
  HeavyKeySampler sampler({.seed = 1, .order = {.group_bytes = first}});
  const Record records[] = {MakeRecord("a1", "v"), MakeRecord("a2", "v"), MakeRecord("b1", "v")};
  sampler.See(records);
  EXPECT_EQ(CountsOf(sampler).at("a"), std::pair(2ul, 6ul));
  EXPECT_EQ(CountsOf(sampler).size(), 2u);
}

// A batch has as many records as ten patterns and a bit: places that were looked at in each batch
// would see one part of the pattern only.
TEST(HeavyKeySampler, SharesOfManyRecordsAreNearlyRight) {
  constexpr std::size_t kRecords = 4'000'000;
  const std::vector<Record> records = Pattern(kRecords);
  for (const std::uint64_t seed : {0, 1, 2, 3}) {
    SCOPED_TRACE(seed);
    HeavyKeySampler sampler({.seed = seed});
    See(records, 510, sampler);
    const Counts counts = CountsOf(sampler);
    std::uint64_t all = 0;
    for (const auto& [key, count] : counts) all += count.first;
    EXPECT_LE(all, kRecords);
    EXPECT_GE(all, kRecords - 2'048);
    EXPECT_NEAR(static_cast<double>(counts.at("often").first) / kRecords, 0.6, 0.03);
    EXPECT_NEAR(static_cast<double>(counts.at("d").first) / kRecords, 0.1, 0.03);
  }
}

TEST(HeavyKeySampler, WhereBatchesEndMakesNoDifference) {
  const std::vector<Record> records = Pattern(100'000);
  HeavyKeySampler once({.seed = 5}), in_batches({.seed = 5}), one_by_one({.seed = 5});
  once.See(records);
  See(records, 512, in_batches);
  See(records, 1, one_by_one);
  EXPECT_EQ(CountsOf(once), CountsOf(in_batches));
  EXPECT_EQ(CountsOf(once), CountsOf(one_by_one));
}

}  // namespace
}  // namespace spillway
