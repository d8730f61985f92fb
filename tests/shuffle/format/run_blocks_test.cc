#include "shuffle/format/run_blocks.h"

#include <gtest/gtest.h>

#include "tests/shuffle/format/segment_fixture.h"

namespace spillway {
namespace {

constexpr SegmentId kId = {7, 3, 1};

struct Opened {
  std::shared_ptr<StringBytes> bytes;
  std::shared_ptr<const SegmentReader> reader;
};

// `records` of `value_bytes` each, in one partition.
Opened OpenSegment(std::uint32_t records, std::uint32_t value_bytes, Compression compression,
                   bool resident) {
  std::vector<PlacedRecord> placed;
  for (std::uint32_t i = 0; i < records; ++i)
    placed.push_back({0, 0, std::to_string(1'000'000 + i), std::string(value_bytes, 'v')});
  auto written = WriteSegment(kId, 1, 2, placed, {.compression = compression}, true);
  EXPECT_TRUE(written.ok());
  Opened opened;
  opened.bytes = std::make_shared<StringBytes>(written->bytes, resident);
  auto reader = SegmentReader::Open(opened.bytes, kId);
  EXPECT_TRUE(reader.ok());
  opened.reader = *reader;
  return opened;
}

std::uint64_t ReadAll(BlockSource& source) {
  std::uint64_t records = 0;
  while (true) {
    Block block;
    const auto more = source.Next(&block);
    EXPECT_TRUE(more.ok()) << more.status().message();
    if (!more.ok() || !*more) return records;
    records += block.records;
  }
}

TEST(RunBlocks, SmallExtentCostsWhatItHolds) {
  const Opened opened = OpenSegment(100, 100, Compression::kNone, false);
  MemoryBudget budget(0);
  const auto source = opened.reader->OpenRun(0, 0, budget, {});
  EXPECT_EQ(budget.used_bytes(), 0u) << "opening must not allocate";
  EXPECT_EQ(source->buffer_bytes(), opened.reader->extent(0, 0).stored_bytes);
  EXPECT_EQ(ReadAll(*source), 100u);
  EXPECT_EQ(budget.peak_bytes(), source->buffer_bytes());
}

TEST(RunBlocks, EmptyExtentCostsNothing) {
  const Opened opened = OpenSegment(10, 10, Compression::kNone, false);
  MemoryBudget budget(0);
  const auto source = opened.reader->OpenRun(0, 1, budget, {});
  EXPECT_EQ(source->buffer_bytes(), 0u);
  EXPECT_EQ(ReadAll(*source), 0u);
  EXPECT_EQ(budget.peak_bytes(), 0u);
}

TEST(RunBlocks, ResidentUncompressedBlocksAreNotCopied) {
  const Opened opened = OpenSegment(20'000, 100, Compression::kNone, true);
  MemoryBudget budget(0);
  const auto source = opened.reader->OpenRun(0, 0, budget, {});
  EXPECT_EQ(source->buffer_bytes(), 0u);
  Block block;
  ASSERT_TRUE(*source->Next(&block));
  const std::string_view all = opened.bytes->View(0, opened.bytes->size());
  EXPECT_GE(block.bytes.data(), all.data());
  EXPECT_LT(block.bytes.data(), all.data() + all.size());
  ReadAll(*source);
  EXPECT_EQ(budget.peak_bytes(), 0u);
}

TEST(RunBlocks, ChargesNoMoreThanItSays) {
  for (const auto compression : {Compression::kNone, Compression::kLz4}) {
    for (const bool resident : {false, true}) {
      for (const std::uint32_t read_ahead_bytes : {1u, 100'000u, 1u << 20}) {
        const Opened opened = OpenSegment(20'000, 100, compression, resident);
        MemoryBudget budget(0);
        const auto source =
            opened.reader->OpenRun(0, 0, budget, {.read_ahead_bytes = read_ahead_bytes});
        EXPECT_EQ(ReadAll(*source), 20'000u);
        EXPECT_LE(budget.peak_bytes(), source->buffer_bytes());
        EXPECT_LE(source->buffer_bytes(), read_ahead_bytes + (130u << 10));
      }
    }
  }
}

TEST(RunBlocks, ReadsSeveralBlocksAtOnce) {
  const Opened opened = OpenSegment(20'000, 100, Compression::kNone, false);
  MemoryBudget budget(0);
  const std::uint64_t reads_before = opened.bytes->reads;
  const auto source = opened.reader->OpenRun(0, 0, budget, {.read_ahead_bytes = 256 << 10});
  ReadAll(*source);
  const std::uint64_t stored_bytes = opened.reader->extent(0, 0).stored_bytes;
  EXPECT_LE(opened.bytes->reads - reads_before, stored_bytes / (192 << 10) + 1);
}

TEST(RunBlocks, ReleasesBehindItselfInLargeSteps) {
  const Opened opened = OpenSegment(40'000, 100, Compression::kNone, false);
  MemoryBudget budget(0);
  const Extent extent = opened.reader->extent(0, 0);
  const auto source = opened.reader->OpenRun(0, 0, budget, {.release_behind = true});
  Block block;
  std::uint64_t consumed = 0;
  while (*source->Next(&block)) {
    for (const auto& [offset, bytes] : opened.bytes->released)
      EXPECT_LE(offset + bytes, extent.offset + consumed) << "a block in use was released";
    consumed += sizeof(BlockHeader) + block.bytes.size();
  }
  std::uint64_t next = extent.offset;
  for (const auto& [offset, bytes] : opened.bytes->released) {
    EXPECT_EQ(offset, next);
    next += bytes;
    EXPECT_TRUE(bytes >= RunBlocks::kReleaseStepBytes || next == extent.offset + consumed);
  }
  EXPECT_EQ(next, extent.offset + extent.stored_bytes);
  EXPECT_GE(opened.bytes->released.size(), 3u);
}

TEST(RunBlocks, ReleasesNothingUnlessTold) {
  const Opened opened = OpenSegment(40'000, 100, Compression::kNone, false);
  MemoryBudget budget(0);
  ReadAll(*opened.reader->OpenRun(0, 0, budget, {}));
  EXPECT_TRUE(opened.bytes->released.empty());
}

}  // namespace
}  // namespace spillway
