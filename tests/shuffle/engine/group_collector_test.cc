#include "shuffle/engine/group_collector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/shuffle/engine/group_fixture.h"

namespace spillway {
namespace {

using How = CollectPairs::How;

constexpr std::uint64_t kTinyBytes = 64 << 10;

std::string RandomValue(std::mt19937_64& random, std::size_t bytes_max) {
  static constexpr std::size_t kEdges[] = {0, 1, 3, 4, 7, 8, 12, 15, 16, 17, 126, 127, 128, 300};
  const std::size_t bytes =
      random() % 4 == 0 ? kEdges[random() % std::size(kEdges)] : random() % (bytes_max + 1);
  std::string value(std::min(bytes, bytes_max), '\0');
  for (char& c : value) c = static_cast<char>(random());
  return value;
}

/// `records` pairs over `distinct` keys of up to 40 bytes, few of them frequent.
Pairs RandomPairs(std::uint64_t seed, std::size_t records, std::size_t distinct,
                  std::size_t value_bytes_max = 20) {
  std::mt19937_64 random(seed);
  std::vector<std::string> keys(distinct);
  for (std::string& key : keys) key = RandomKey(random, 40);
  Pairs pairs;
  for (std::size_t i = 0; i < records; ++i) {
    const std::size_t below = random() % 2 == 0 ? distinct : 1 + distinct / 50;
    pairs.emplace_back(keys[random() % below], RandomValue(random, value_bytes_max));
  }
  return pairs;
}

void ExpectGrouped(const CollectPairs& collect, const Pairs& pairs, const Grouped& grouped) {
  EXPECT_EQ(grouped.stats.records_in, pairs.size());
  EXPECT_EQ(grouped.stats.records_out, pairs.size());
  // Not EXPECT_EQ: nobody wants to read megabytes.
  EXPECT_TRUE(grouped.partitions == GroupNaively(pairs, collect.partitions));
}

TEST(GroupCollector, GroupsLikeAStableSortForAllSharesPartitionsAndBatches) {
  for (const std::uint64_t memory_bytes : {kTinyBytes / 2, kTinyBytes, std::uint64_t{64} << 20}) {
    for (const std::uint32_t partitions : {1u, 3u, 100u}) {
      for (const std::size_t batch : {1, 33, 512, 5000}) {
        SCOPED_TRACE(testing::Message() << memory_bytes << " bytes, " << partitions
                                        << " partitions, batch " << batch << ", seed 1");
        const Pairs pairs = RandomPairs(1, 20'000, 700);
        const CollectPairs collect{
            .partitions = partitions, .memory_bytes = memory_bytes, .batch_records = batch};
        const Grouped grouped = collect.Over(pairs);
        ExpectGrouped(collect, pairs, grouped);
        EXPECT_LE(grouped.peak_bytes, memory_bytes + memory_bytes / 64);
        EXPECT_EQ(grouped.stats.spills > 1, memory_bytes <= kTinyBytes);
      }
    }
  }
}

TEST(GroupCollector, MakesTheSamePartitionsAsSortingWithPacksAndWithout) {
  for (const std::uint64_t memory_bytes : {1 << 20, 4 << 20}) {
    SCOPED_TRACE(testing::Message() << memory_bytes << " bytes, seed 2");
    const Pairs pairs = RandomPairs(2, 30'000, 3000, 40);
    CollectPairs collect{.partitions = 5, .memory_bytes = memory_bytes};
    const Grouped grouped = collect.Over(pairs);
    for (const How how : {How::kSortPacked, How::kSortPlain}) {
      collect.how = how;
      const Grouped sorted = collect.Over(pairs);
      EXPECT_TRUE(sorted.partitions == grouped.partitions);
      EXPECT_EQ(sorted.encoded_records, pairs.size());
      EXPECT_LT(grouped.encoded_records, pairs.size() / 2);
    }
  }
}

TEST(GroupCollector, HashesOfRecordsAreTheSameHoweverMemoryEndedAndValuesArePacked) {
  const Pairs pairs = RandomPairs(3, 20'000, 700);
  for (const auto& hows : {std::vector{How::kGroup, How::kSortPacked}, {How::kSortPlain}}) {
    std::vector<std::uint64_t> hashes;
    for (const How how : hows) {
      for (const std::uint64_t memory_bytes : {kTinyBytes, std::uint64_t{64} << 20}) {
        const CollectPairs collect{.how = how, .partitions = 3, .memory_bytes = memory_bytes};
        const SegmentSummary summary = collect.Over(pairs).summary;
        EXPECT_EQ(summary.runs > 1, memory_bytes == kTinyBytes);
        if (hashes.empty()) hashes = summary.record_hashes;
        EXPECT_EQ(summary.record_hashes, hashes);
      }
    }
    ASSERT_EQ(hashes.size(), 3u);
    Pairs other = pairs;
    other[7].second += 'x';
    const CollectPairs collect{.how = hows[0], .partitions = 3, .memory_bytes = kTinyBytes};
    const std::vector<std::uint64_t> changed = collect.Over(other).summary.record_hashes;
    const std::uint32_t part = SumPartition::Of(other[7].first, 3);
    for (std::uint32_t p = 0; p < 3; ++p) EXPECT_EQ(changed[p] == hashes[p], p != part);
  }
}

TEST(GroupCollector, WritesEachKeyOncePerRunIntoPacksOfBoundedSize) {
  Pairs pairs;
  for (int i = 0; i < 200'000; ++i)
    pairs.emplace_back("word" + std::to_string(i % 100), std::to_string(i));
  CollectPairs collect{.partitions = 2};
  collect.memory_bytes = 16 << 20;  // A smaller sample.
  const Grouped grouped = collect.Over(pairs);
  ExpectGrouped(collect, pairs, grouped);
  EXPECT_FALSE(grouped.stats.stepped_aside);
  EXPECT_EQ(grouped.stats.spills, 0u);
  // The sample's records, and all others in a pack per key or, where they exceed one, a few.
  const std::uint64_t sampled = (16 << 20) / 512;
  EXPECT_LT(grouped.encoded_records, sampled + 512 + 100 * 2);
}

TEST(GroupCollector, SegmentsDependOnRecordsAndShareOnly) {
  const Pairs pairs = RandomPairs(3, 60'000, 2000);
  CollectPairs collect{.partitions = 4, .memory_bytes = 1 << 20};
  const Grouped once = collect.Over(pairs);
  EXPECT_TRUE(collect.Over(pairs).segment == once.segment);
}

TEST(GroupCollector, StretchesAHotKeyOverRunsPacksAndBatches) {
  for (const std::uint64_t memory_bytes : {kTinyBytes, std::uint64_t{1} << 20}) {
    std::mt19937_64 random(4);
    SCOPED_TRACE(testing::Message() << memory_bytes << " bytes, seed 4");
    Pairs pairs;
    for (int i = 0; i < 300'000; ++i)
      pairs.emplace_back(random() % 100 == 0 ? RandomKey(random, 3) : "hot", std::to_string(i));
    const CollectPairs collect{.partitions = 2, .memory_bytes = memory_bytes};
    const Grouped grouped = collect.Over(pairs);
    EXPECT_GT(grouped.stats.spills, 1u);
    ExpectGrouped(collect, pairs, grouped);
  }
}

TEST(GroupCollector, TakesValuesOfAllSizes) {
  for (const std::uint64_t memory_bytes : {kTinyBytes, std::uint64_t{8} << 20}) {
    std::mt19937_64 random(5);
    SCOPED_TRACE(testing::Message() << memory_bytes << " bytes, seed 5");
    Pairs pairs;
    for (int i = 0; i < 40'000; ++i)
      pairs.emplace_back("k" + std::to_string(random() % 50), RandomValue(random, 10));
    for (int i = 0; i < 60; ++i) {
      const std::size_t bytes = random() % 3 == 0 ? random() % (5 << 20) : random() % 9000;
      pairs.emplace_back("k" + std::to_string(random() % 5), std::string(bytes, 'v'));
      pairs.emplace_back("k" + std::to_string(random() % 5), "small");
      pairs.emplace_back("k0", "");
    }
    const CollectPairs collect{.partitions = 2, .memory_bytes = memory_bytes};
    const Grouped grouped = collect.Over(pairs);
    EXPECT_LE(grouped.peak_bytes, memory_bytes + memory_bytes / 64);
    ExpectGrouped(collect, pairs, grouped);
  }
}

TEST(GroupCollector, TakesLongKeysThatFillASmallTableAtOnce) {
  for (const std::size_t key_bytes : {17, 100, 1000, 3000, 20'000}) {
    SCOPED_TRACE(testing::Message() << key_bytes << " bytes");
    Pairs pairs;
    for (int i = 0; i < 400; ++i) pairs.emplace_back("same", "value");
    for (int i = 0; i < 1500; ++i)
      pairs.emplace_back(std::string(key_bytes, 'k') + std::to_string(i % 200), "value");
    const CollectPairs collect{.partitions = 2, .memory_bytes = 16 << 10};
    ExpectGrouped(collect, pairs, collect.Over(pairs));
  }
}

TEST(GroupCollector, TellsKeysApartThatDifferInTrailingZerosOnly) {
  Pairs pairs;
  for (int i = 0; i < 3000; ++i)
    pairs.emplace_back(std::string(static_cast<std::size_t>(i) % 40, '\0'), std::to_string(i));
  const CollectPairs collect{.memory_bytes = kTinyBytes};
  ExpectGrouped(collect, pairs, collect.Over(pairs));
}

TEST(GroupCollector, SpreadsOverManyPartitions) {
  for (const std::uint64_t memory_bytes : {kTinyBytes, std::uint64_t{64} << 20}) {
    SCOPED_TRACE(testing::Message() << memory_bytes << " bytes, seed 6");
    const Pairs pairs = RandomPairs(6, 10'000, 1500);
    const CollectPairs collect{.partitions = 2000, .memory_bytes = memory_bytes};
    ExpectGrouped(collect, pairs, collect.Over(pairs));
  }
}

TEST(GroupCollector, SortsWhereKeysDoNotRepeat) {
  Pairs pairs;
  for (int i = 0; i < 20'000; ++i) pairs.emplace_back("unique" + std::to_string(i * 7919), "v");
  const CollectPairs collect{.partitions = 3, .memory_bytes = 1 << 20};
  const Grouped grouped = collect.Over(pairs);
  EXPECT_TRUE(grouped.stats.stepped_aside);
  EXPECT_EQ(grouped.stats.spills, 0u);
  EXPECT_EQ(grouped.encoded_records, pairs.size());
  ExpectGrouped(collect, pairs, grouped);
}

TEST(GroupCollector, GroupsKeysThatRepeatInTheRunButHardlyInTheSample) {
  std::mt19937_64 random(7);
  SCOPED_TRACE("seed 7");
  Pairs pairs;
  for (int i = 0; i < 200'000; ++i)
    pairs.emplace_back("key" + std::to_string(random() % 20'000), "value");
  const CollectPairs collect{.memory_bytes = 8 << 20};  // A sample of 16 Ki records.
  const Grouped grouped = collect.Over(pairs);
  EXPECT_FALSE(grouped.stats.stepped_aside);
  EXPECT_LT(grouped.encoded_records, pairs.size() / 2);
  ExpectGrouped(collect, pairs, grouped);
}

TEST(GroupCollector, StepsAsideWhenKeysStopRepeating) {
  Pairs pairs;
  for (int i = 0; i < 5000; ++i) pairs.emplace_back("k" + std::to_string(i % 30), "early");
  for (int i = 0; i < 30'000; ++i) pairs.emplace_back("unique" + std::to_string(i), "late");
  for (int i = 0; i < 5000; ++i) pairs.emplace_back("k" + std::to_string(i % 30), "end");
  const CollectPairs collect{.partitions = 3, .memory_bytes = 256 << 10};
  const Grouped grouped = collect.Over(pairs);
  EXPECT_TRUE(grouped.stats.stepped_aside);
  EXPECT_LT(grouped.encoded_records, pairs.size() - 4000);
  EXPECT_LE(grouped.peak_bytes, collect.memory_bytes + collect.memory_bytes / 64);
  ExpectGrouped(collect, pairs, grouped);
}

TEST(GroupCollector, MakesDoWithAnEmptyBudget) {
  const Pairs pairs = RandomPairs(8, 20'000, 300);
  const CollectPairs collect{.partitions = 2, .memory_bytes = 4 << 20, .budget_bytes = 1000};
  const Grouped grouped = collect.Over(pairs);
  EXPECT_LT(grouped.peak_bytes, 512u << 10);
  ExpectGrouped(collect, pairs, grouped);
}

TEST(GroupCollector, MergesPacksAheadWhenRunsAreTooMany) {
  const Pairs pairs = RandomPairs(9, 40'000, 500);
  const CollectPairs collect{
      .partitions = 2, .memory_bytes = kTinyBytes / 2, .reduce_bytes = 512 << 10};
  const Grouped grouped = collect.Over(pairs);
  EXPECT_GT(grouped.stats.spills, 10u);
  ExpectGrouped(collect, pairs, grouped);
}

TEST(GroupCollector, WritesNoRunWithoutRecords) {
  const Grouped grouped = CollectPairs{.partitions = 2}.Over({});
  EXPECT_EQ(grouped.stats.spills, 0u);
  EXPECT_EQ(grouped.encoded_records, 0u);
}

class BadPartition : public PartitionFunction {
 public:
  Status Partition(std::span<const Record> records, std::uint32_t* out) override {
    std::fill_n(out, records.size(), 4u);
    return OkStatus();
  }
};

TEST(GroupCollector, RefusesWhatNoRunCanHoldAndPartitionsThatDoNotExist) {
  MemoryBudget budget(std::uint64_t{1} << 30);
  MemorySegmentStore store(budget);
  auto file = std::move(store.Create({})).value();
  SegmentWriter writer({}, 4, *file, {});
  BadPartition partition;
  CollectorOptions options;
  options.partitions = 4;
  options.partition = &partition;
  options.budget = &budget;
  options.pack_values = true;
  GroupCollector collector(options, writer);
  Record huge = MakeRecord("huge", "");
  huge.value_bytes = kFieldBytesMax + 1;
  const Status too_large = collector.Collect({&huge, 1});
  EXPECT_EQ(too_large.code(), Code::kResourceExhausted);
  EXPECT_THAT(too_large.message(), testing::HasSubstr("huge"));
  const PairRecords stray(Pairs{{"stray", "value"}});
  const Status nowhere = collector.Collect(stray.records());
  EXPECT_EQ(nowhere.code(), Code::kUserCode);
  EXPECT_THAT(nowhere.message(), testing::HasSubstr("stray"));
}

}  // namespace
}  // namespace spillway
