// SegmentCopy, SlicedSegment, PartitionStream and BlockWalk: what arrives in pieces of any size is
// read as the segment itself would be, and a wrong bit is found.
#include "runtime/transfer/segment_copy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "shuffle/format/segment_layout.h"
#include "shuffle/store/hybrid_segment_store.h"
#include "tests/runtime/transfer/transfer_fixture.h"

namespace spillway {
namespace {

using testing::HasSubstr;

constexpr SegmentId kId = {7, 3, 1};
constexpr SegmentId kCopy = {7, kFetchTaskBase, 9};

std::string HeadOf(const std::string& segment) {
  SegmentFooter footer;
  std::memcpy(&footer, segment.data() + segment.size() - sizeof footer, sizeof footer);
  return segment.substr(0, sizeof(SegmentHeader)) + segment.substr(footer.index_offset);
}

std::string StreamOf(const std::string& segment, std::uint32_t partition) {
  auto reader = SegmentReader::Open(std::make_shared<StringBytes>(segment, true), kId);
  std::string stream;
  for (std::uint32_t run = 0; run < (*reader)->runs(); ++run) {
    const Extent& extent = (*reader)->extent(run, partition);
    stream += segment.substr(extent.offset, extent.stored_bytes);
  }
  return stream;
}

/// Feeds a copy in pieces of random sizes, as the network might.
Result<std::shared_ptr<const SegmentReader>> Receive(SegmentStore& store, MemoryBudget& budget,
                                                     const std::string& head,
                                                     const std::string& stream,
                                                     std::uint64_t segment_bytes,
                                                     std::uint32_t partition, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  SegmentCopy copy({"segment of worker 2", kId, partition, kCopy, &store, &budget});
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
    for (std::uint32_t partition = 0; partition < shape.partitions; ++partition) {
      auto reader = Receive(store, budget, HeadOf(segment), StreamOf(segment, partition),
                            segment.size(), partition, seed);
      ASSERT_TRUE(reader.ok()) << reader.status().message();
      const std::string expected = ExpectedPartition(segment, kId, partition);
      auto read = ReadPartition(**reader, partition);
      ASSERT_TRUE(read.ok()) << read.status().message();
      ASSERT_EQ(*read, expected);
      // Once more, and for the last time.
      read = ReadPartition(**reader, partition, {.release_behind = true});
      ASSERT_TRUE(read.ok()) << read.status().message();
      ASSERT_EQ(*read, expected);
    }
    // The last reader is gone, and with it the copy.
    EXPECT_EQ(store.Open(kCopy).status().code(), Code::kNotFound);
    EXPECT_EQ(budget.used_bytes(), 0u);
  }
}

TEST(SegmentCopy, AnotherPartitionIsNotThereAndSaysSo) {
  const std::string segment = RandomSegment(kId, 1);
  MemoryBudget budget(16 << 20);
  MemorySegmentStore store(budget);
  auto reader = Receive(store, budget, HeadOf(segment), StreamOf(segment, 2), segment.size(), 2, 1);
  ASSERT_TRUE(reader.ok()) << reader.status().message();
  const auto read = ReadPartition(**reader, 0);
  EXPECT_EQ(read.status().code(), Code::kInternal);
  EXPECT_THAT(read.status().message(), HasSubstr("segment of worker 2"));
  EXPECT_THAT(read.status().message(), HasSubstr("not of partition 2"));
}

TEST(SegmentCopy, EveryFlippedBitIsFoundBeforeTheReaderIsHandedOver) {
  SegmentShape shape;
  shape.runs = 2;
  shape.records = 40;
  const std::string segment = RandomSegment(kId, 5, shape);
  const std::string head = HeadOf(segment), stream = StreamOf(segment, 0);
  ASSERT_GT(stream.size(), 200u);
  MemoryBudget budget(16 << 20);
  MemorySegmentStore store(budget);
  for (std::size_t bit = 0; bit < 8 * (head.size() + stream.size()); ++bit) {
    std::string bad_head = head, bad_stream = stream;
    const std::size_t at = bit / 8;
    char& byte = at < head.size() ? bad_head[at] : bad_stream[at - head.size()];
    byte = static_cast<char>(byte ^ (1 << bit % 8));
    const auto reader = Receive(store, budget, bad_head, bad_stream, segment.size(), 0, bit);
    ASSERT_EQ(reader.status().code(), Code::kDataLoss) << "bit " << bit;
    ASSERT_THAT(reader.status().message(), HasSubstr("map task must run again"));
    ASSERT_THAT(reader.status().message(), HasSubstr("segment of worker 2"));
  }
  EXPECT_EQ(budget.used_bytes(), 0u);
}

TEST(SegmentCopy, SwappedBlocksAndForeignHeadsAreFound) {
  const std::string segment = RandomSegment(kId, 5);
  const std::string other = RandomSegment({7, 4, 1}, 5);
  ASSERT_EQ(segment.size(), other.size());
  MemoryBudget budget(16 << 20);
  MemorySegmentStore store(budget);
  const auto code = [&](const std::string& head, const std::string& stream, std::uint64_t bytes) {
    return Receive(store, budget, head, stream, bytes, 0, 1).status().code();
  };
  const std::string head = HeadOf(segment), stream = StreamOf(segment, 0);
  EXPECT_EQ(code(head, stream, segment.size()), Code::kOk);
  EXPECT_EQ(code(HeadOf(other), stream, segment.size()), Code::kDataLoss);
  EXPECT_EQ(code(head, stream, segment.size() - 1), Code::kDataLoss);
  EXPECT_EQ(code(head, stream, 50), Code::kDataLoss);
  EXPECT_EQ(code(head.substr(0, 40), stream, segment.size()), Code::kDataLoss);
  // Blocks of the other map task, with the same lengths.
  std::string foreign = stream;
  auto reader = SegmentReader::Open(std::make_shared<StringBytes>(other, true), {7, 4, 1});
  const Extent& extent = (*reader)->extent(0, 0);
  foreign.replace(0, extent.stored_bytes, other, extent.offset, extent.stored_bytes);
  EXPECT_EQ(code(head, foreign, segment.size()), Code::kDataLoss);
}

TEST(SegmentCopy, WhatAnEarlierProcessLeftUnderTheNameIsReplaced) {
  const std::string segment = RandomSegment(kId, 2);
  MemoryBudget budget(16 << 20);
  MemorySegmentStore store(budget);
  Put(store, kCopy, "left behind");
  auto reader = Receive(store, budget, HeadOf(segment), StreamOf(segment, 1), segment.size(), 1, 3);
  ASSERT_TRUE(reader.ok()) << reader.status().message();
  EXPECT_EQ(*ReadPartition(**reader, 1), ExpectedPartition(segment, kId, 1));
}

}  // namespace
}  // namespace spillway
