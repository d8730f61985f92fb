// SegmentCopy, SlicedSegment, PartitionStream and BlockWalk: what arrives in pieces of any size is
// read as the segment itself would be, and a wrong bit is found.
#include "runtime/transfer/segment_copy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "shuffle/store/hybrid_segment_store.h"
#include "tests/runtime/transfer/transfer_fixture.h"

namespace spillway {
namespace {

using testing::HasSubstr;

constexpr SegmentId kId = {7, 3, 1};
constexpr SegmentId kCopy = {7, kFetchTaskBase, 9};

/// Feeds a copy in pieces of random sizes, as the network might.
Result<std::shared_ptr<const SegmentReader>> Receive(
    SegmentStore& store, MemoryBudget& budget, const std::string& head, const std::string& stream,
    std::uint64_t segment_bytes, const PartitionRange& partitions, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  SegmentCopy copy({"segment of worker 2", kId, partitions, kCopy, &store, &budget});
  const std::size_t piece_bytes_max = 1 + random() % 700;
  for (std::size_t at = 0; at < head.size(); at += 13) copy.AddHead(head.substr(at, 13));
  SPILLWAY_ASSIGN_OR_RETURN(const std::uint64_t bytes, copy.FinishHead(segment_bytes));
  EXPECT_EQ(bytes, stream.size());
  for (std::size_t at = 0; at < stream.size();) {
    const std::size_t piece = 1 + random() % piece_bytes_max;
    SPILLWAY_RETURN_IF_ERROR(copy.AddStream(std::string_view(stream).substr(at, piece)));
    at += piece;
  }
  return copy.Finish();
}

Result<std::shared_ptr<const SegmentReader>> ReceiveAll(SegmentStore& store, MemoryBudget& budget,
                                                        const std::string& segment,
                                                        const PartitionRange& partitions,
                                                        std::uint64_t seed) {
  return Receive(store, budget, HeadOf(segment), StreamOf(segment, kId, partitions), segment.size(),
                 partitions, seed);
}

TEST(SegmentCopy, ReadsLikeTheSegmentItself) {
  for (std::uint64_t seed = 1; seed <= 120; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    SegmentShape shape;
    shape.runs = 1 + static_cast<std::uint32_t>(seed % 7);
    shape.records = (seed % 5) * 150;
    if (seed % 4 == 0) shape.writer.block_bytes = 4000;
    const std::string segment = RandomSegment(kId, seed, shape);
    MemoryBudget budget(16 << 20);
    MemorySegmentStore store(budget, {.chunk_bytes_min = 300, .chunk_bytes_max = 1000});
    for (const PartitionRange& partitions : RangesOf(shape.partitions)) {
      auto reader = ReceiveAll(store, budget, segment, partitions, seed);
      ASSERT_TRUE(reader.ok()) << reader.status().message();
      const auto expected = ExpectedPartitions(segment, kId, partitions);
      auto read = ReadPartitions(**reader, partitions);
      ASSERT_TRUE(read.ok()) << read.status().message();
      ASSERT_EQ(*read, expected);
      // Once more, and for the last time.
      read = ReadPartitions(**reader, partitions, {.release_behind = true});
      ASSERT_TRUE(read.ok()) << read.status().message();
      ASSERT_EQ(*read, expected);
    }
    // The last reader is gone, and with it the copy.
    EXPECT_EQ(store.Open(kCopy).status().code(), Code::kNotFound);
    EXPECT_EQ(budget.used_bytes(), 0u);
  }
}

TEST(SegmentCopy, EmptyPartitionsTakeNothingWhereverTheyAre) {
  for (const std::set<std::uint32_t>& empty : std::vector<std::set<std::uint32_t>>{
           {0}, {6}, {3}, {0, 1, 5, 6}, {2, 3, 4}, {0, 2, 3, 6}, {0, 1, 2, 3, 4, 5, 6}}) {
    SegmentShape shape;
    shape.partitions = 7;
    shape.empty_partitions = empty;
    const std::string segment = RandomSegment(kId, 4, shape);
    MemoryBudget budget(16 << 20);
    MemorySegmentStore store(budget);
    for (const PartitionRange& partitions : RangesOf(shape.partitions)) {
      SCOPED_TRACE(NameOf(partitions));
      auto reader = ReceiveAll(store, budget, segment, partitions, 9);
      ASSERT_TRUE(reader.ok()) << reader.status().message();
      const auto read = ReadPartitions(**reader, partitions);
      ASSERT_TRUE(read.ok()) << read.status().message();
      ASSERT_EQ(*read, ExpectedPartitions(segment, kId, partitions));
    }
  }
}

TEST(SegmentCopy, OtherPartitionsAreNotThereAndSaySo) {
  const std::string segment = RandomSegment(kId, 1);
  MemoryBudget budget(16 << 20);
  MemorySegmentStore store(budget);
  for (const auto& [partitions, name] : std::vector<std::pair<PartitionRange, std::string>>{
           {{2}, "partition 2"}, {{1, 3}, "partitions 1 to 3"}}) {
    auto reader = ReceiveAll(store, budget, segment, partitions, 1);
    ASSERT_TRUE(reader.ok()) << reader.status().message();
    for (const std::uint32_t other : {0u, 4u}) {
      const auto read = ReadPartition(**reader, other);
      EXPECT_EQ(read.status().code(), Code::kInternal);
      EXPECT_THAT(read.status().message(), HasSubstr("segment of worker 2"));
      EXPECT_THAT(read.status().message(), HasSubstr("not of " + name + ", and"));
    }
  }
}

TEST(SegmentCopy, PartitionsThatTheSegmentDoesNotHaveAreDataLoss) {
  const std::string segment = RandomSegment(kId, 1);
  MemoryBudget budget(16 << 20);
  MemorySegmentStore store(budget);
  for (const auto& [partitions, name] : std::vector<std::pair<PartitionRange, std::string>>{
           {{5}, "partition 5"},
           {{4, 2}, "partitions 4 to 5"},
           {{0, 6}, "partitions 0 to 5"},
           {{2, UINT32_MAX}, "partitions 2 to 4294967296"}}) {
    SegmentCopy copy({"segment of worker 2", kId, partitions, kCopy, &store, &budget});
    copy.AddHead(HeadOf(segment));
    const Status status = copy.FinishHead(segment.size()).status();
    EXPECT_EQ(status.code(), Code::kDataLoss);
    EXPECT_THAT(status.message(), HasSubstr("5 partitions does not have " + name + ";"));
  }
}

TEST(SegmentCopy, EveryFlippedBitIsFoundBeforeTheReaderIsHandedOver) {
  SegmentShape shape;
  shape.runs = 2;
  shape.records = 40;
  const std::string segment = RandomSegment(kId, 5, shape);
  const PartitionRange partitions{1, 3};
  const std::string head = HeadOf(segment), stream = StreamOf(segment, kId, partitions);
  ASSERT_GT(stream.size(), 400u);
  MemoryBudget budget(16 << 20);
  MemorySegmentStore store(budget);
  for (std::size_t bit = 0; bit < 8 * (head.size() + stream.size()); ++bit) {
    std::string bad_head = head, bad_stream = stream;
    const std::size_t at = bit / 8;
    char& byte = at < head.size() ? bad_head[at] : bad_stream[at - head.size()];
    byte = static_cast<char>(byte ^ (1 << bit % 8));
    const auto reader =
        Receive(store, budget, bad_head, bad_stream, segment.size(), partitions, bit);
    ASSERT_EQ(reader.status().code(), Code::kDataLoss) << "bit " << bit;
    ASSERT_THAT(reader.status().message(), HasSubstr("map task must run again"));
    ASSERT_THAT(reader.status().message(), HasSubstr("segment of worker 2"));
  }
  EXPECT_EQ(budget.used_bytes(), 0u);
}

TEST(SegmentCopy, AFlippedByteIsOfTheRunAndPartitionThatIsNamed) {
  std::string segment = RandomSegment(kId, 5);
  const auto good = ReaderOf(segment, kId);
  const PartitionRange partitions{1, 3};
  MemoryBudget budget(16 << 20);
  MemorySegmentStore store(budget);
  for (std::uint32_t run = 0; run < good->runs(); ++run) {
    for (std::uint32_t partition = partitions.first; partition < partitions.end(); ++partition) {
      const Extent& extent = good->extent(run, partition);
      if (extent.blocks == 0) continue;
      char& byte = segment[extent.offset + extent.stored_bytes - 1];
      byte = static_cast<char>(byte ^ 8);
      const Status status = ReceiveAll(store, budget, segment, partitions, 1).status();
      byte = static_cast<char>(byte ^ 8);
      EXPECT_EQ(status.code(), Code::kDataLoss);
      EXPECT_THAT(status.message(),
                  HasSubstr("block " + std::to_string(extent.first_block + extent.blocks - 1) +
                            " (map task 3, attempt 1, run " + std::to_string(run) + ", partition " +
                            std::to_string(partition) + ") is damaged"));
    }
  }
}

TEST(SegmentCopy, SwappedBlocksAndForeignHeadsAreFound) {
  const std::string segment = RandomSegment(kId, 5);
  const std::string other = RandomSegment({7, 4, 1}, 5);
  ASSERT_EQ(segment.size(), other.size());
  MemoryBudget budget(16 << 20);
  MemorySegmentStore store(budget);
  const auto code = [&](const std::string& head, const std::string& stream, std::uint64_t bytes) {
    return Receive(store, budget, head, stream, bytes, {0}, 1).status().code();
  };
  const std::string head = HeadOf(segment), stream = StreamOf(segment, kId, {0});
  EXPECT_EQ(code(head, stream, segment.size()), Code::kOk);
  EXPECT_EQ(code(HeadOf(other), stream, segment.size()), Code::kDataLoss);
  EXPECT_EQ(code(head, stream, segment.size() - 1), Code::kDataLoss);
  EXPECT_EQ(code(head, stream, 50), Code::kDataLoss);
  EXPECT_EQ(code(head.substr(0, 40), stream, segment.size()), Code::kDataLoss);
  // Blocks of the other map task, with the same lengths.
  std::string foreign = stream;
  const Extent extent = ReaderOf(other, {7, 4, 1})->extent(0, 0);
  foreign.replace(0, extent.stored_bytes, other, extent.offset, extent.stored_bytes);
  EXPECT_EQ(code(head, foreign, segment.size()), Code::kDataLoss);
}

TEST(SegmentCopy, WhatAnEarlierProcessLeftUnderTheNameIsReplaced) {
  const std::string segment = RandomSegment(kId, 2);
  MemoryBudget budget(16 << 20);
  MemorySegmentStore store(budget);
  Put(store, kCopy, "left behind");
  auto reader = ReceiveAll(store, budget, segment, {1}, 3);
  ASSERT_TRUE(reader.ok()) << reader.status().message();
  EXPECT_EQ(*ReadPartition(**reader, 1), ExpectedPartition(segment, kId, 1));
}

}  // namespace
}  // namespace spillway
