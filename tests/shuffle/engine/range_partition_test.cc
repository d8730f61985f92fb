#include "shuffle/engine/range_partition.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <random>

#include "shuffle/engine/hash_partition.h"

namespace spillway {
namespace {

using testing::ElementsAre;

std::vector<std::uint32_t> PartitionsOf(PartitionFunction& function,
                                        const std::vector<std::string>& keys) {
  std::vector<Record> records;
  for (const std::string& key : keys) records.push_back(MakeRecord(key, ""));
  std::vector<std::uint32_t> partitions(keys.size());
  EXPECT_TRUE(function.Partition(records, partitions.data()).ok());
  return partitions;
}

TEST(RangeCutsTest, PartTheSampleEvenly) {
  EXPECT_THAT(RangeCuts({"d", "b", "a", "c"}, 2), ElementsAre("c"));
  EXPECT_THAT(RangeCuts({"d", "b", "a", "c"}, 4), ElementsAre("b", "c", "d"));
  EXPECT_THAT(RangeCuts({"x", "x", "x", "y"}, 4), ElementsAre("x", "y"));
  EXPECT_THAT(RangeCuts({}, 4), ElementsAre());
}

TEST(RangePartitionTest, FollowsTheOrderOfTheKeys) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    std::vector<std::string> keys(300);
    for (std::string& key : keys) {
      // Long common prefixes, so that the first 8 bytes often do not decide.
      key = std::string(random() % 12, 'p');
      for (unsigned i = random() % 3; i > 0; --i) key += static_cast<char>(random() % 3 * 127);
    }
    const std::uint32_t partitions = 1 + random() % 20;
    RangePartition function(RangeCuts({keys.begin(), keys.begin() + 100}, partitions), {});
    std::sort(keys.begin(), keys.end());
    const auto got = PartitionsOf(function, keys);
    EXPECT_TRUE(std::is_sorted(got.begin(), got.end()));
    EXPECT_LT(got.back(), partitions);
    for (std::size_t i = 1; i < keys.size(); ++i) {
      if (keys[i] == keys[i - 1]) {
        EXPECT_EQ(got[i], got[i - 1]);
      }
    }
  }
}

TEST(HashPartitionTest, SpreadsKeysAndKeepsGroupsTogether) {
  KeyOrder order;
  order.group_bytes = [](const char*, std::uint32_t bytes) { return std::min(bytes, 3u); };
  HashPartition by_group(7, order);
  EXPECT_THAT(PartitionsOf(by_group, {"abc1", "abc2", "abc"}),
              testing::Each(PartitionsOf(by_group, {"abc"})[0]));
  std::vector<std::string> keys;
  for (int i = 0; i < 70'000; ++i) keys.push_back(std::to_string(i));
  HashPartition by_key(7, {});
  std::vector<int> counts(7);
  for (const std::uint32_t partition : PartitionsOf(by_key, keys)) ++counts.at(partition);
  EXPECT_THAT(counts, testing::Each(testing::AllOf(testing::Gt(9'500), testing::Lt(10'500))));
}

TEST(HashPartitionTest, StaysTheSameFromReleaseToRelease) {
  // Segments of one job may come from hosts of two releases.
  HashPartition function(1000, {});
  EXPECT_THAT(PartitionsOf(function, {"", "a", "spillway"}), ElementsAre(175, 901, 360));
}

}  // namespace
}  // namespace spillway
