#include "shuffle/merge/merge_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "shuffle/merge/batch_merge.h"
#include "shuffle/merge/tree_merge.h"
#include "tests/shuffle/merge/memory_run.h"

namespace spillway {
namespace {

constexpr std::size_t kAnyBytes = SIZE_MAX;

enum class Way { kOpenMerge, kBatch, kTree };
enum class Limits { kDefault, kTiny, kMiddle };

struct BlockLimits {
  std::size_t records = SIZE_MAX;
  std::size_t bytes = 64 << 10;
};

using Sources = std::vector<std::unique_ptr<BlockSource>>;

Sources MakeSources(const std::vector<KeyValues>& runs, const BlockLimits& limits) {
  Sources sources;
  for (const KeyValues& run : runs)
    sources.push_back(std::make_unique<MemoryRun>(run, limits.records, limits.bytes));
  return sources;
}

std::unique_ptr<MergeStream> Open(Way way, Sources sources, const MergeOptions& options) {
  if (way == Way::kOpenMerge) return OpenMerge(std::move(sources), options);
  if (way == Way::kTree) return std::make_unique<TreeMerge>(std::move(sources), options);
  return std::make_unique<BatchMerge>(std::move(sources), options);
}

MergeOptions OptionsOf(Limits limits) {
  if (limits == Limits::kTiny) return MergeOptions::Tiny();
  if (limits == Limits::kMiddle) return {.order = {}, .batch_records = 100, .carry_bytes = 500};
  return {};
}

/// Where two results first differ, said shortly: whole results are too long to read.
std::string Difference(const Groups& expected, const Groups& actual) {
  for (std::size_t g = 0; g < std::min(expected.size(), actual.size()); ++g) {
    const std::size_t records = std::min(expected[g].size(), actual[g].size());
    for (std::size_t i = 0; i < records; ++i)
      if (expected[g][i] != actual[g][i])
        return "record " + std::to_string(i) + " of group " + std::to_string(g) + " is (" +
               testing::PrintToString(actual[g][i]) + ") and should be (" +
               testing::PrintToString(expected[g][i]) + ")";
    if (expected[g].size() != actual[g].size())
      return "group " + std::to_string(g) + " has " + std::to_string(actual[g].size()) +
             " records and should have " + std::to_string(expected[g].size());
  }
  if (expected.size() != actual.size())
    return std::to_string(actual.size()) + " groups and should be " +
           std::to_string(expected.size());
  return "";
}

/// One conformance suite, over every way of merging, with default and with tiny limits.
class MergeStreamTest : public testing::TestWithParam<std::tuple<Way, Limits>> {
 protected:
  Way way() const { return std::get<0>(GetParam()); }
  MergeOptions options() const { return OptionsOf(std::get<1>(GetParam())); }

  void ExpectMergesLikeTheOracle(std::vector<KeyValues> runs, const KeyOrder& order = {}) {
    if (way() == Way::kBatch && !order.is_bytes()) return;
    MergeOptions merge_options = options();
    merge_options.order = order;
    SortRuns(runs, order);
    const Groups expected = MergeNaively(runs, order);
    for (const BlockLimits& limits : {BlockLimits{}, BlockLimits{1, kAnyBytes},
                                      BlockLimits{7, kAnyBytes}, BlockLimits{SIZE_MAX, 300}}) {
      SCOPED_TRACE(testing::Message() << "blocks of up to " << limits.records << " records, "
                                      << limits.bytes << " bytes");
      const auto stream = Open(way(), MakeSources(runs, limits), merge_options);
      const Result<Groups> merged = ReadGroups(*stream);
      ASSERT_TRUE(merged.ok()) << merged.status().message();
      EXPECT_EQ(Difference(expected, *merged), "");
    }
  }
};

/// Runs of random length whose keys come from `make_key`.
template <class MakeKey>
std::vector<KeyValues> RandomRuns(std::mt19937_64& random, std::size_t count,
                                  std::size_t records_max, MakeKey make_key) {
  std::vector<KeyValues> runs(count);
  for (std::size_t rank = 0; rank < count; ++rank) {
    const std::size_t records = random() % (records_max + 1);
    for (std::size_t i = 0; i < records; ++i)
      runs[rank].emplace_back(make_key(), PlaceValue(rank, i));
  }
  return runs;
}

/// Keys that break prefix comparisons: short, zero bytes at the end, 0xff, shared beginnings.
std::string NastyKey(std::mt19937_64& random) {
  static const std::string beginnings[] = {
      "",        "a",        std::string(1, '\0'), std::string(7, '\xff'), std::string(8, '\xff'),
      "abcdefg", "abcdefgh", std::string(16, 'x'), std::string(100, 'y'),  "abcdefgh\x01"};
  std::string key = beginnings[random() % std::size(beginnings)];
  static constexpr char kEnds[] = {'\0', '\x01', 'a', '\x7f', '\x80', '\xff'};
  for (std::size_t more = random() % 4; more > 0; --more) key += kEnds[random() % sizeof kEnds];
  if (random() % 4 == 0) key += std::string(random() % 20, '\0');
  return key;
}

TEST_P(MergeStreamTest, NoRunsAreAnEmptyStream) { ExpectMergesLikeTheOracle({}); }

TEST_P(MergeStreamTest, EmptyRunsAreAnEmptyStream) {
  ExpectMergesLikeTheOracle(std::vector<KeyValues>(5));
}

TEST_P(MergeStreamTest, EndStaysTheEnd) {
  const auto stream = Open(way(), MakeSources({{{"a", "1"}}, {}, {{"b", "2"}}}, {}), options());
  ASSERT_TRUE(ReadGroups(*stream).ok());
  for (int i = 0; i < 3; ++i) {
    const Result<GroupBatch> batch = stream->Next();
    ASSERT_TRUE(batch.ok());
    EXPECT_TRUE(batch->records.empty());
    EXPECT_TRUE(batch->groups.empty());
  }
}

TEST_P(MergeStreamTest, EqualKeysKeepRankAndArrival) {
  ExpectMergesLikeTheOracle(
      {{{"k", "0:0"}, {"k", "0:1"}}, {{"k", "1:0"}}, {{"k", "2:0"}, {"l", "2:1"}}});
}

TEST_P(MergeStreamTest, RandomRunsOfNastyKeysEqualTheOracle) {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    std::mt19937_64 random(seed);
    const std::size_t runs = random() % 12;
    ExpectMergesLikeTheOracle(
        RandomRuns(random, runs, 1 + random() % 120, [&] { return NastyKey(random); }));
  }
}

TEST_P(MergeStreamTest, KeysThatShareALongBeginningEqualTheOracle) {
  for (const std::size_t shared : {8, 16, 100, 1000}) {
    SCOPED_TRACE(testing::Message() << "shared bytes and seed " << shared);
    std::mt19937_64 random(shared);
    const std::string beginning(shared, 'p');
    ExpectMergesLikeTheOracle(
        RandomRuns(random, 9, 150, [&] { return beginning + NastyKey(random); }));
  }
}

TEST_P(MergeStreamTest, KeysInDeepLevelsEqualTheOracle) {
  // Every 8 bytes decide something, so that ties reach further than the levels of new prefixes.
  std::mt19937_64 random(17);
  ExpectMergesLikeTheOracle(RandomRuns(random, 6, 300, [&] {
    std::string key;
    for (std::size_t level = random() % 20; level > 0; --level)
      key += random() % 8 == 0 ? "level--2" : "level--1";
    return key;
  }));
}

TEST_P(MergeStreamTest, ManyRunsEqualTheOracle) {
  for (const std::size_t runs : {2, 3, 31, 64, 257, 1024}) {
    SCOPED_TRACE(testing::Message() << "runs and seed " << runs);
    std::mt19937_64 random(runs);
    ExpectMergesLikeTheOracle(
        RandomRuns(random, runs, 4000 / runs, [&] { return std::to_string(random() % 1500); }));
  }
}

TEST_P(MergeStreamTest, DisjointRunsEqualTheOracle) {
  std::vector<KeyValues> runs(6);
  for (std::size_t rank = 0; rank < runs.size(); ++rank)
    for (std::size_t i = 0; i < 500; ++i)
      runs[rank].emplace_back(std::to_string(9 - rank) + std::to_string(1000 + i / 3),
                              PlaceValue(rank, i));
  ExpectMergesLikeTheOracle(runs);
}

TEST_P(MergeStreamTest, OneKeyOverThousandBlocksIsOneGroup) {
  std::vector<KeyValues> runs(3);
  for (std::size_t rank = 0; rank < runs.size(); ++rank) {
    runs[rank].emplace_back("a", PlaceValue(rank, 0));
    for (std::size_t i = 1; i < 1200; ++i)
      runs[rank].emplace_back("a hot key, hot", PlaceValue(rank, i));
    runs[rank].emplace_back("z", PlaceValue(rank, 1200));
  }
  ExpectMergesLikeTheOracle(runs);
}

TEST_P(MergeStreamTest, GiantRecordsAmongSmallOnesEqualTheOracle) {
  std::vector<KeyValues> runs(4);
  for (std::size_t rank = 0; rank < runs.size(); ++rank)
    for (std::size_t i = 0; i < 50; ++i)
      runs[rank].emplace_back(std::to_string(10 + i), PlaceValue(rank, i));
  runs[1].emplace_back("25", std::string(5 << 20, 'v'));
  runs[2].emplace_back("25" + std::string(3 << 20, 'k'), "a giant key");
  runs[3].emplace_back("25" + std::string(3 << 20, 'k'), "the same giant key");
  ExpectMergesLikeTheOracle(runs);
}

TEST_P(MergeStreamTest, GroupsByTheLeadingBytesOfTheKey) {
  const KeyOrder order{
      .compare = nullptr,
      .group_bytes = [](const char*, uint32_t bytes) { return std::min<uint32_t>(bytes, 1); },
      .same_group = nullptr};
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    std::mt19937_64 random(seed);
    ExpectMergesLikeTheOracle(RandomRuns(random, 5, 200, [&] { return NastyKey(random); }), order);
  }
}

TEST_P(MergeStreamTest, GroupsByTheCallersFunction) {
  const KeyOrder order{
      .compare = nullptr,
      .group_bytes = nullptr,
      .same_group = [](const char*, uint32_t a_bytes, const char*, uint32_t b_bytes) {
        return static_cast<int>((a_bytes < 4) == (b_bytes < 4));
      }};
  std::mt19937_64 random(3);
  ExpectMergesLikeTheOracle(RandomRuns(random, 5, 200, [&] { return NastyKey(random); }), order);
}

int CompareDescending(const char* a, uint32_t a_bytes, const char* b, uint32_t b_bytes) {
  return CompareBytes({b, b_bytes}, {a, a_bytes});
}

int CompareLengths(const char*, uint32_t a_bytes, const char*, uint32_t b_bytes) {
  return a_bytes < b_bytes ? -1 : a_bytes > b_bytes ? 1 : 0;
}

TEST_P(MergeStreamTest, MergesByACustomComparator) {
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    std::mt19937_64 random(seed);
    const auto runs = RandomRuns(random, random() % 40, 100, [&] { return NastyKey(random); });
    ExpectMergesLikeTheOracle(runs, {.compare = &CompareDescending});
    // Different keys may be equal to the comparator; they form one group then.
    ExpectMergesLikeTheOracle(runs, {.compare = &CompareLengths});
  }
}

TEST_P(MergeStreamTest, NamesTheRunWhoseSourceFails) {
  for (const std::size_t at : {0, 1, 5}) {
    std::vector<KeyValues> runs(4);
    for (std::size_t rank = 0; rank < runs.size(); ++rank)
      for (std::size_t i = 0; i < 20; ++i)
        runs[rank].emplace_back(std::to_string(10 + i), PlaceValue(rank, i));
    Sources sources = MakeSources(runs, {2, kAnyBytes});
    static_cast<MemoryRun&>(*sources[2]).FailAt(at, DataLoss("block is damaged"));
    const auto stream = Open(way(), std::move(sources), options());
    EXPECT_FALSE(stream->failed_run().has_value());
    const Result<Groups> merged = ReadGroups(*stream);
    EXPECT_EQ(merged.status().code(), Code::kDataLoss);
    EXPECT_EQ(merged.status().message(), "block is damaged");
    EXPECT_EQ(stream->failed_run(), 2u);
  }
}

TEST_P(MergeStreamTest, BlockThatEndsInsideARecordIsDataLoss) {
  std::vector<KeyValues> runs(4);
  for (KeyValues& run : runs)
    for (std::size_t i = 0; i < 20; ++i) run.emplace_back(std::to_string(10 + i), "value");
  Sources sources = MakeSources(runs, {2, kAnyBytes});
  static_cast<MemoryRun&>(*sources[3]).Truncate(4);
  const auto stream = Open(way(), std::move(sources), options());
  EXPECT_EQ(ReadGroups(*stream).status().code(), Code::kDataLoss);
  EXPECT_EQ(stream->failed_run(), 3u);
}

TEST_P(MergeStreamTest, RunsThatAreNotSortedDoNoHarm) {
  // The order is lost, but no record is and no byte outside of the blocks is touched.
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    std::mt19937_64 random(seed);
    const auto runs = RandomRuns(random, 5, 200, [&] { return NastyKey(random); });
    std::size_t records = 0;
    for (const KeyValues& run : runs) records += run.size();
    const auto stream = Open(way(), MakeSources(runs, {30, kAnyBytes}), options());
    const Result<Groups> merged = ReadGroups(*stream);
    ASSERT_TRUE(merged.ok());
    std::size_t merged_records = 0;
    for (const KeyValues& group : *merged) merged_records += group.size();
    EXPECT_EQ(merged_records, records);
  }
}

std::string ParameterName(const testing::TestParamInfo<std::tuple<Way, Limits>>& parameter) {
  static constexpr const char* kWays[] = {"OpenMerge", "Batch", "Tree"};
  static constexpr const char* kLimits[] = {"Default", "Tiny", "Middle"};
  return std::string(kWays[static_cast<int>(std::get<0>(parameter.param))]) +
         kLimits[static_cast<int>(std::get<1>(parameter.param))];
}

INSTANTIATE_TEST_SUITE_P(Ways, MergeStreamTest,
                         testing::Combine(testing::Values(Way::kOpenMerge, Way::kBatch, Way::kTree),
                                          testing::Values(Limits::kDefault, Limits::kTiny,
                                                          Limits::kMiddle)),
                         ParameterName);

TEST(BatchMergeTest, BatchesStayWithinTheirLimit) {
  // All runs cover the same keys, so that every block could go into one batch.
  constexpr std::size_t kRuns = 40;
  std::vector<KeyValues> runs(kRuns);
  for (std::size_t rank = 0; rank < kRuns; ++rank)
    for (std::size_t i = 0; i < 500; ++i)
      runs[rank].emplace_back(std::to_string(1000 + i), PlaceValue(rank, i));
  const MergeOptions options{.order = {}, .batch_records = 640, .carry_bytes = 1000};
  constexpr std::size_t kWindow = 640 / kRuns;
  BatchMerge merge(MakeSources(runs, {}), options);
  std::size_t records = 0;
  std::size_t batches = 0;
  for (;;) {
    const Result<GroupBatch> batch = merge.Next();
    ASSERT_TRUE(batch.ok());
    if (batch->records.empty()) break;
    EXPECT_LE(batch->records.size(), 640 + (kRuns + 1) * kWindow);
    records += batch->records.size();
    ++batches;
  }
  EXPECT_EQ(records, kRuns * 500);
  EXPECT_LE(batches, 60u) << "batches are far smaller than they should be";
}

}  // namespace
}  // namespace spillway
