#include "shuffle/engine/reduce_input.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <map>
#include <random>

#include "runtime/storage/posix_file_system.h"
#include "shuffle/store/disk_segment_store.h"
#include "tests/shuffle/format/segment_fixture.h"
#include "tests/shuffle/merge/memory_run.h"

namespace spillway {
namespace {

constexpr std::uint64_t kJob = 7;

/// Keeps intermediate merges as strings, counts them, and damages them when it shall.
class ScratchStore final : public SegmentStore {
 public:
  Result<std::unique_ptr<SegmentFile>> Create(const SegmentId& id) override {
    created.push_back(id);
    return std::unique_ptr<SegmentFile>(std::make_unique<File>(*this, id));
  }
  Result<std::shared_ptr<SegmentBytes>> Open(const SegmentId& id) override {
    const auto found = segments.find(id.map_task);
    if (found == segments.end()) return NotFound("no such segment");
    std::string bytes = found->second;
    if (damage_offset < bytes.size()) bytes[damage_offset] ^= 1;
    return std::shared_ptr<SegmentBytes>(std::make_shared<StringBytes>(bytes, false));
  }
  Status Discard(const SegmentId& id) override {
    segments.erase(id.map_task);
    return OkStatus();
  }
  std::uint64_t spilled_bytes() const override { return 0; }

  std::map<std::uint32_t, std::string> segments;
  std::vector<SegmentId> created;
  std::size_t damage_offset = SIZE_MAX;

 private:
  class File final : public SegmentFile {
   public:
    File(ScratchStore& store, const SegmentId& id) : store_(store), id_(id) {}
    Status Append(std::string_view bytes) override { return inner_.Append(bytes); }
    std::uint64_t size() const override { return inner_.size(); }
    bool on_disk() const override { return true; }
    Status Commit() override {
      store_.segments[id_.map_task] = inner_.bytes;
      return OkStatus();
    }

   private:
    ScratchStore& store_;
    const SegmentId id_;
    StringFile inner_{true};
  };
};

/// One segment per map task, each with some runs of some partitions.
struct Shuffle {
  /// records[task][run] in partition 1; partitions 0 and 2 hold other things.
  std::vector<std::vector<KeyValues>> records;
  std::vector<std::string> bytes;

  std::vector<KeyValues> Runs() const {
    std::vector<KeyValues> runs;
    for (const auto& task : records) runs.insert(runs.end(), task.begin(), task.end());
    return runs;
  }
};

SegmentId MapId(std::size_t task) {
  return {kJob, static_cast<std::uint32_t>(task), static_cast<std::uint32_t>(task % 3)};
}

std::string WriteSegment(std::size_t task, const std::vector<KeyValues>& runs,
                         const SegmentWriterOptions& options) {
  StringFile file(true);
  SegmentWriter writer(MapId(task), 3, file, options);
  for (const KeyValues& run : runs) {
    writer.BeginRun();
    SPILLWAY_CHECK(writer.Add(0, MakeRecord("another", "partition")).ok());
    for (const auto& [key, value] : run) SPILLWAY_CHECK(writer.Add(1, MakeRecord(key, value)).ok());
    SPILLWAY_CHECK(writer.Add(2, MakeRecord("another", "partition")).ok());
    SPILLWAY_CHECK(writer.FinishRun().ok());
  }
  SPILLWAY_CHECK(writer.Finish().ok());
  return file.bytes;
}

Shuffle MakeShuffle(std::uint64_t seed, std::size_t tasks, std::size_t runs_max,
                    std::size_t records_max, const KeyOrder& order = {},
                    const SegmentWriterOptions& writer = {.block_bytes = 512}) {
  std::mt19937_64 random(seed);
  Shuffle shuffle;
  for (std::size_t task = 0; task < tasks; ++task) {
    std::vector<KeyValues> runs(random() % (runs_max + 1));
    for (std::size_t run = 0; run < runs.size(); ++run) {
      const std::size_t records = random() % (records_max + 1);
      for (std::size_t i = 0; i < records; ++i)
        runs[run].emplace_back("key-" + std::to_string(random() % 500),
                               PlaceValue(task, run * 1'000'000 + i));
    }
    SortRuns(runs, order);
    shuffle.bytes.push_back(WriteSegment(task, runs, writer));
    shuffle.records.push_back(std::move(runs));
  }
  return shuffle;
}

std::vector<std::shared_ptr<const SegmentReader>> OpenSegments(const Shuffle& shuffle) {
  std::vector<std::shared_ptr<const SegmentReader>> segments;
  for (std::size_t task = 0; task < shuffle.bytes.size(); ++task) {
    auto reader = SegmentReader::Open(
        std::make_shared<StringBytes>(shuffle.bytes[task], task % 2 == 0), MapId(task));
    SPILLWAY_CHECK(reader.ok());
    segments.push_back(*std::move(reader));
  }
  return segments;
}

class ReduceInputTest : public testing::Test {
 protected:
  ReduceInputTest() {
    options_.partition = 1;
    options_.budget = &budget_;
    options_.scratch = &scratch_;
    options_.scratch_id = {kJob, kMergeTaskBase + 5 * kReduceMergesMax, 2};
    options_.damaged = &damaged_;
  }
  ~ReduceInputTest() override {
    EXPECT_EQ(budget_.used_bytes(), 0u);
    EXPECT_TRUE(scratch_.segments.empty()) << "intermediate merges are left over";
  }

  Result<Groups> Read(const Shuffle& shuffle) {
    auto input = ReduceInput::Open(OpenSegments(shuffle), options_);
    if (!input.ok()) return input.status();
    Result<Groups> groups = ReadGroups(**input);
    stats_ = (*input)->stats();
    return groups;
  }

  MemoryBudget budget_{1 << 30};
  ScratchStore scratch_;
  std::optional<SegmentId> damaged_;
  ReduceInputOptions options_;
  ReduceInputStats stats_;
};

TEST_F(ReduceInputTest, NoSegmentsAreAnEmptyInput) {
  const Result<Groups> groups = Read({});
  ASSERT_TRUE(groups.ok());
  EXPECT_TRUE(groups->empty());
  EXPECT_EQ(stats_.runs, 0u);
  EXPECT_EQ(stats_.passes, 1u);
}

TEST_F(ReduceInputTest, OnePassEqualsTheOracle) {
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    const Shuffle shuffle = MakeShuffle(seed, 1 + seed * 3, 3, 100);
    const Result<Groups> groups = Read(shuffle);
    ASSERT_TRUE(groups.ok()) << groups.status().message();
    EXPECT_EQ(*groups, MergeNaively(shuffle.Runs(), {}));
    EXPECT_EQ(stats_.passes, 1u);
  }
}

TEST_F(ReduceInputTest, CountsWhatItReads) {
  const Shuffle shuffle = MakeShuffle(1, 10, 3, 100);
  ReduceInputStats expected;
  for (const auto& segment : OpenSegments(shuffle))
    for (std::uint32_t run = 0; run < segment->runs(); ++run) {
      const Extent& extent = segment->extent(run, 1);
      if (extent.records == 0) continue;
      ++expected.runs;
      expected.records += extent.records;
      expected.raw_bytes += extent.raw_bytes;
      expected.stored_bytes += extent.stored_bytes;
    }
  for (const std::uint32_t fan_in : {1024, 3}) {
    options_.fan_in_max = fan_in;
    ASSERT_TRUE(Read(shuffle).ok());
    EXPECT_EQ(stats_.runs, expected.runs);
    EXPECT_EQ(stats_.records, expected.records);
    EXPECT_EQ(stats_.raw_bytes, expected.raw_bytes);
    EXPECT_EQ(stats_.stored_bytes, expected.stored_bytes) << "intermediate merges do not count";
  }
}

TEST_F(ReduceInputTest, ManyPassesEqualOnePass) {
  const Shuffle shuffle = MakeShuffle(3, 60, 3, 60);
  const Groups expected = MergeNaively(shuffle.Runs(), {});
  for (const std::uint64_t memory_bytes : {1, 20'000, 100'000}) {
    SCOPED_TRACE(testing::Message() << "memory_bytes " << memory_bytes);
    options_.memory_bytes = memory_bytes;
    const Result<Groups> groups = Read(shuffle);
    ASSERT_TRUE(groups.ok()) << groups.status().message();
    EXPECT_TRUE(*groups == expected);
    EXPECT_GE(stats_.passes, memory_bytes < 100'000 ? 3u : 2u);
  }
}

TEST_F(ReduceInputTest, FanInMaxBoundsEachMerge) {
  const Shuffle shuffle = MakeShuffle(4, 40, 2, 40);
  options_.fan_in_max = 4;
  const Result<Groups> groups = Read(shuffle);
  ASSERT_TRUE(groups.ok());
  EXPECT_TRUE(*groups == MergeNaively(shuffle.Runs(), {}));
  EXPECT_GE(scratch_.created.size(), (stats_.runs - 4 + 2) / 3);
  EXPECT_GE(stats_.passes, 3u);
}

TEST_F(ReduceInputTest, CustomOrderSurvivesThePasses) {
  const KeyOrder order{
      .compare =
          [](const char* a, uint32_t a_bytes, const char* b, uint32_t b_bytes) {
            return CompareBytes({b, b_bytes}, {a, a_bytes});
          },
      .group_bytes = [](const char*, uint32_t bytes) { return std::min<uint32_t>(bytes, 5); }};
  const Shuffle shuffle = MakeShuffle(5, 30, 3, 50, order);
  options_.order = order;
  options_.memory_bytes = 10'000;
  const Result<Groups> groups = Read(shuffle);
  ASSERT_TRUE(groups.ok());
  EXPECT_TRUE(*groups == MergeNaively(shuffle.Runs(), order));
  EXPECT_GE(stats_.passes, 2u);
}

TEST_F(ReduceInputTest, StaysWithinItsShare) {
  const Shuffle shuffle =
      MakeShuffle(6, 150, 3, 400, {}, {.block_bytes = 4096, .compression = Compression::kLz4});
  for (const std::uint64_t memory_bytes : {200'000, 1'000'000}) {
    MemoryBudget budget(1 << 30);
    options_.budget = &budget;
    options_.memory_bytes = memory_bytes;
    ASSERT_TRUE(Read(shuffle).ok());
    EXPECT_LE(budget.peak_bytes(), memory_bytes);
  }
}

TEST_F(ReduceInputTest, IntermediateMergesCountUpFromTheScratchId) {
  options_.fan_in_max = 3;
  ASSERT_TRUE(Read(MakeShuffle(8, 20, 2, 20)).ok());
  ASSERT_FALSE(scratch_.created.empty());
  for (std::size_t i = 0; i < scratch_.created.size(); ++i) {
    SegmentId expected = options_.scratch_id;
    expected.map_task += static_cast<std::uint32_t>(i);
    EXPECT_TRUE(scratch_.created[i] == expected);
  }
}

TEST_F(ReduceInputTest, WithoutScratchTooManyRunsAreResourceExhausted) {
  options_.scratch = nullptr;
  options_.fan_in_max = 3;
  const Result<Groups> groups = Read(MakeShuffle(9, 20, 2, 20));
  EXPECT_EQ(groups.status().code(), Code::kResourceExhausted);
  EXPECT_THAT(groups.status().message(), testing::HasSubstr("more memory"));
}

/// The segment with one byte of its first block of partition 1 changed.
void Damage(Shuffle& shuffle, std::size_t task) {
  const auto segments = OpenSegments(shuffle);
  for (std::uint32_t run = 0; run < segments[task]->runs(); ++run) {
    const Extent& extent = segments[task]->extent(run, 1);
    if (extent.records == 0) continue;
    shuffle.bytes[task][extent.offset + extent.stored_bytes - 1] ^= 0x10;
    return;
  }
  FAIL() << "task " << task << " has no records to damage";
}

TEST_F(ReduceInputTest, FlippedByteIsDataLossThatNamesTheSegment) {
  for (const std::uint32_t fan_in : {1024, 4}) {
    Shuffle shuffle = MakeShuffle(10, 12, 3, 50);
    std::size_t task = 6;
    while (shuffle.records[task].empty() || shuffle.records[task][0].empty()) ++task;
    Damage(shuffle, task);
    options_.fan_in_max = fan_in;
    damaged_.reset();
    const Result<Groups> groups = Read(shuffle);
    EXPECT_EQ(groups.status().code(), Code::kDataLoss);
    ASSERT_TRUE(damaged_.has_value());
    EXPECT_TRUE(*damaged_ == MapId(task));
  }
}

TEST_F(ReduceInputTest, DamagedIntermediateMergeIsAborted) {
  const Shuffle shuffle = MakeShuffle(11, 12, 3, 50);
  options_.fan_in_max = 4;
  // Somewhere in a block; in the header, which is read when the segment is opened.
  for (const std::size_t offset : {200, 3}) {
    scratch_.damage_offset = offset;
    const Result<Groups> groups = Read(shuffle);
    EXPECT_EQ(groups.status().code(), Code::kAborted) << groups.status().message();
    EXPECT_FALSE(damaged_.has_value());
  }
}

TEST_F(ReduceInputTest, AbandonedInputLeavesNothing) {
  options_.fan_in_max = 4;
  auto input = ReduceInput::Open(OpenSegments(MakeShuffle(12, 12, 3, 50)), options_);
  ASSERT_TRUE(input.ok());
  ASSERT_TRUE((*input)->Next().ok());
  EXPECT_FALSE(scratch_.segments.empty());
}

TEST_F(ReduceInputTest, MergesThroughFiles) {
  const std::string directory = testing::TempDir() + "/reduce_input_test." +
                                std::to_string(testing::UnitTest::GetInstance()->random_seed()) +
                                "." + std::to_string(getpid());
  PosixFileSystem files;
  ASSERT_TRUE(files.MakeDirectory(directory, 0700).ok());
  {
    DiskSegmentStore store(files, {.directories = {directory}});
    options_.scratch = &store;
    options_.fan_in_max = 5;
    const Shuffle shuffle = MakeShuffle(13, 40, 3, 200);
    const Result<Groups> groups = Read(shuffle);
    ASSERT_TRUE(groups.ok()) << groups.status().message();
    EXPECT_TRUE(*groups == MergeNaively(shuffle.Runs(), {}));
    EXPECT_GT(store.spilled_bytes(), 0u);
    const auto left = files.List(directory);
    ASSERT_TRUE(left.ok());
    EXPECT_THAT(*left, testing::IsEmpty());
  }
  EXPECT_TRUE(files.RemoveTree(directory).ok());
}

}  // namespace
}  // namespace spillway
