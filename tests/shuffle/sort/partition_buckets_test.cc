#include "shuffle/sort/partition_buckets.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace spillway {
namespace {

void ExpectBuckets(PartitionBuckets& buckets, const std::vector<std::uint32_t>& partitions) {
  std::vector<ArenaEntry> entries;
  std::vector<std::vector<std::uint64_t>> expected(buckets.partitions());
  for (std::size_t i = 0; i < partitions.size(); ++i) {
    entries.push_back(ArenaEntry::Make(100 * i, partitions[i], "key"));
    expected[partitions[i]].push_back(100 * i);
    buckets.Count(partitions[i]);
  }
  buckets.Distribute(entries);
  for (std::uint32_t p = 0; p < buckets.partitions(); ++p) {
    std::vector<std::uint64_t> offsets;
    for (const ArenaEntry& entry : buckets.bucket(p)) {
      EXPECT_EQ(entry.partition(), p);
      offsets.push_back(entry.offset());
    }
    std::sort(offsets.begin(), offsets.end());
    EXPECT_EQ(offsets, expected[p]) << "partition " << p;
  }
}

TEST(PartitionBucketsTest, BringsEachPartitionTogether) {
  for (const std::uint32_t count : {1u, 2u, 3u, 16u, 2000u, ArenaEntry::kPartitionsMax}) {
    SCOPED_TRACE(count);
    PartitionBuckets buckets(count);
    for (std::uint64_t seed = 0; seed < (count > 2000 ? 1 : 5); ++seed) {
      SCOPED_TRACE(seed);
      std::mt19937_64 random(seed);
      std::vector<std::uint32_t> partitions(random() % 5000);
      for (std::uint32_t& p : partitions) {
        // Some partitions stay empty, some get nearly all.
        p = static_cast<std::uint32_t>(random() % 2 == 0 ? count - 1 : random() % count);
      }
      ExpectBuckets(buckets, partitions);
      buckets.Clear();
    }
  }
}

TEST(PartitionBucketsTest, HasEmptyBucketsWithoutEntries) {
  PartitionBuckets buckets(3);
  buckets.Distribute({});
  for (std::uint32_t p = 0; p < 3; ++p) EXPECT_TRUE(buckets.bucket(p).empty());
}

}  // namespace
}  // namespace spillway
