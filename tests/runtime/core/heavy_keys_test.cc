#include "runtime/core/heavy_keys.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <string>

namespace spillway {
namespace {

using testing::IsEmpty;

HeavyKey Seen(std::string_view key, std::uint64_t records = 1, std::uint64_t bytes = 1) {
  return {key, key.size(), std::hash<std::string_view>()(key), records, bytes};
}

std::map<std::string, std::uint64_t> RecordsOf(const HeavyKeys& keys, std::uint64_t records_min) {
  std::map<std::string, std::uint64_t> records;
  for (const HeavyKey& key : keys.Heaviest({HeavyKeys::kKeysMax, records_min}))
    records[std::string(key.key)] = key.records;
  return records;
}

TEST(HeavyKeys, FewKeysAreCountedExactly) {
  HeavyKeys keys;
  EXPECT_THAT(keys.Heaviest({10, 1}), IsEmpty());
  for (int i = 0; i < 3; ++i) keys.Add(Seen("b", 2, 10));
  keys.Add(Seen("a", 7, 5));
  keys.Add(Seen("", 1, 1));
  const auto all = keys.Heaviest({10, 1});
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0].key, "a");
  EXPECT_EQ(all[1].key, "b");
  EXPECT_EQ(all[1].records, 6u);
  EXPECT_EQ(all[1].bytes, 30u);
  EXPECT_EQ(all[2].key, "");
  EXPECT_EQ(keys.Heaviest({1, 1}).size(), 1u);
  EXPECT_EQ(keys.Heaviest({10, 6}).size(), 2u);
}

TEST(HeavyKeys, LongKeysAreCutAndToldApartByTheirHashes) {
  HeavyKeys keys;
  const std::string prefix(kHeavyKeyBytesMax, '\0');
  keys.Add(Seen(prefix + "a", 5));
  keys.Add(Seen(prefix + "b", 3));
  const auto all = keys.Heaviest({10, 1});
  ASSERT_EQ(all.size(), 2u);
  for (const HeavyKey& key : all) {
    EXPECT_EQ(key.key, prefix);
    EXPECT_EQ(key.key_bytes, kHeavyKeyBytesMax + 1);
  }
  EXPECT_EQ(all[0].records, 5u);
}

// Against an exact count: of a key that has more than its due nothing is missing but what was
// counted before it was heavy, and no key has too much.
TEST(HeavyKeys, HeavyOnesOutlastAnyNumberOfLightOnes) {
  constexpr std::uint32_t kSeed = 7;
  SCOPED_TRACE(kSeed);
  std::mt19937 random(kSeed);
  std::vector<double> weights(20'000);
  for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = 1 / std::pow(i + 1.0, 1.2);
  std::discrete_distribution<int> zipf(weights.begin(), weights.end());
  HeavyKeys keys;
  std::map<std::string, std::uint64_t> exact;
  constexpr std::uint64_t kRecords = 200'000;
  for (std::uint64_t i = 0; i < kRecords; ++i) {
    // Light ones that never come again fill every second place.
    const std::string key = i % 2 == 0 ? "once " + std::to_string(i) : std::to_string(zipf(random));
    ++exact[key];
    keys.Add(Seen(key));
  }
  const auto counted = RecordsOf(keys, 1);
  for (const auto& [key, records] : counted) EXPECT_LE(records, exact[key]) << key;
  std::size_t heavy = 0;
  for (const auto& [key, records] : exact) {
    if (records < kRecords / 100) continue;
    ++heavy;
    ASSERT_TRUE(counted.contains(key)) << key;
    EXPECT_GE(counted.at(key), records - records / 100) << key;
  }
  EXPECT_GE(heavy, 5u);
}

TEST(HeavyKeys, TheSumOfSummariesDoesNotDependOnTheirOrder) {
  std::vector<HeavyKeys> parts(8);
  for (int part = 0; part < 8; ++part)
    for (int key = 0; key < 40; ++key)
      parts[part].Add(Seen("key " + std::to_string(key + part * 20), 1 + key % 5));
  const auto sum = [&] {
    HeavyKeys all;
    for (const HeavyKeys& part : parts)
      for (const HeavyKey& key : part.Heaviest({32, 1})) all.Add(key);
    std::vector<std::pair<std::string, std::uint64_t>> shown;
    for (const HeavyKey& key : all.Heaviest({32, 1})) shown.emplace_back(key.key, key.records);
    return shown;
  };
  const auto forwards = sum();
  std::reverse(parts.begin(), parts.end());
  EXPECT_EQ(sum(), forwards);
  EXPECT_EQ(forwards.size(), 32u);
}

}  // namespace
}  // namespace spillway
