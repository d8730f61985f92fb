#include "shuffle/store/memory_segment_store.h"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

namespace spillway {
namespace {

constexpr SegmentId kId = {7, 3, 1};

std::shared_ptr<SegmentBytes> Write(SegmentStore& store, std::size_t appends, std::size_t bytes) {
  auto file = store.Create(kId);
  EXPECT_TRUE(file.ok());
  for (std::size_t i = 0; i < appends; ++i) {
    const Status status = (*file)->Append(std::string(bytes, static_cast<char>('a' + i % 26)));
    EXPECT_TRUE(status.ok()) << status.message();
  }
  EXPECT_TRUE((*file)->Commit().ok());
  auto segment = store.Open(kId);
  EXPECT_TRUE(segment.ok());
  return *segment;
}

TEST(MemorySegmentStore, EachAppendStaysInOnePiece) {
  MemoryBudget budget(64 << 20);
  MemorySegmentStore store(budget);
  const auto segment = Write(store, 100, 70'000);
  for (std::uint64_t i = 0; i < 100; ++i)
    EXPECT_EQ(segment->View(i * 70'000, 70'000),
              std::string(70'000, static_cast<char>('a' + i % 26)));
}

TEST(MemorySegmentStore, BytesBuiltInTheRoomAreAppendedWhereTheyLie) {
  MemoryBudget budget(64 << 20);
  MemorySegmentStore store(budget);
  auto file = store.Create(kId);
  ASSERT_TRUE(file.ok());
  std::string all;
  std::vector<const char*> places;
  for (std::size_t bytes = 1; bytes < 300'000; bytes += bytes / 2 + 1) {
    char* const room = (*file)->Room(300'000);
    ASSERT_NE(room, nullptr);
    std::memset(room, static_cast<char>(bytes), bytes);
    all.append(room, bytes);
    places.push_back(room);
    ASSERT_TRUE((*file)->Append({room, bytes}).ok());
  }
  (void)(*file)->Room(300'000);  // Never used.
  all += std::string(5 << 20, 'x');
  ASSERT_TRUE((*file)->Append(std::string(5 << 20, 'x')).ok());
  ASSERT_TRUE((*file)->Commit().ok());
  EXPECT_EQ(budget.used_bytes(), all.size());
  auto segment = store.Open(kId);
  ASSERT_TRUE(segment.ok());
  std::string scratch(all.size(), '\0');
  EXPECT_EQ(*(*segment)->ReadAt(0, all.size(), scratch.data()), all);
  EXPECT_EQ((*segment)->View(0, 1).data(), places[0]);
  EXPECT_EQ((*segment)->View(1, 2).data(), places[1]);
}

TEST(MemorySegmentStore, RoomEndsWithTheBudget) {
  MemoryBudget budget(1000);
  MemorySegmentStore store(budget);
  auto file = store.Create(kId);
  EXPECT_EQ((*file)->Room(1001), nullptr);
  EXPECT_NE((*file)->Room(1000), nullptr);
}

TEST(MemorySegmentStore, CommittedSegmentIsChargedWhatItHolds) {
  MemoryBudget budget(64 << 20);
  MemorySegmentStore store(budget);
  Write(store, 3, 10);
  EXPECT_EQ(budget.used_bytes(), 30u);
  EXPECT_TRUE(store.Discard(kId).ok());
  Write(store, 40, 250'000);
  EXPECT_EQ(budget.used_bytes(), 40 * 250'000u);
}

TEST(MemorySegmentStore, SmallSegmentTakesOneSmallChunkWhileWritten) {
  MemoryBudget budget(64 << 20);
  MemorySegmentStore store(budget);
  Write(store, 1, 10);
  EXPECT_LE(budget.peak_bytes(), 64u << 10);
}

TEST(MemorySegmentStore, UsesTheBudgetToItsLastSmallChunkAndThenSaysSo) {
  MemoryBudget budget(1'000'000);
  MemorySegmentStore store(budget);
  auto file = store.Create(kId);
  ASSERT_TRUE(file.ok());
  const std::string piece(10'000, 'x');
  Status status;
  while (status.ok()) status = (*file)->Append(piece);
  EXPECT_EQ(status.code(), Code::kResourceExhausted);
  EXPECT_GE((*file)->size(), 900'000u);
  EXPECT_LE(budget.peak_bytes(), 1'000'000u);
  const std::uint64_t size = (*file)->size();
  EXPECT_EQ((*file)->Append(std::string(200'000, 'y')).code(), Code::kResourceExhausted);
  EXPECT_EQ((*file)->size(), size) << "a refused append leaves nothing";
}

TEST(MemorySegmentStore, ReleaseGivesConsumedChunksBack) {
  MemoryBudget budget(64 << 20);
  MemorySegmentStore store(budget, {.chunk_bytes_min = 100'000, .chunk_bytes_max = 100'000});
  const auto segment = Write(store, 10, 100'000);
  ASSERT_EQ(budget.used_bytes(), 1'000'000u);
  segment->Release(150'000, 200'000);  // All of the chunk at 200 000; parts of its neighbours.
  EXPECT_EQ(budget.used_bytes(), 900'000u);
  EXPECT_TRUE(segment->View(200'000, 10).empty());
  std::string scratch(100'000, '\0');
  EXPECT_EQ(segment->ReadAt(250'000, 10, scratch.data()).status().code(), Code::kDataLoss);
  EXPECT_EQ(segment->ReadAt(100'000, 50'000, scratch.data())->front(), 'b');
  segment->Release(100'000, 50'000);
  EXPECT_EQ(budget.used_bytes(), 800'000u);
  segment->Release(0, 1'000'000);
  EXPECT_EQ(budget.used_bytes(), 0u);
}

TEST(MemorySegmentStore, LargeChunksServeTheNextSegmentUntilSomebodyNeedsTheRoom) {
  constexpr std::uint64_t kAppends = 10, kAppendBytes = (1 << 20) - 1'000;
  MemoryBudget budget(64 << 20);
  MemorySegmentStore store(budget,
                           {.chunk_bytes_min = std::uint64_t{4} << 20, .chunk_bytes_max = 4 << 20});
  auto segment = Write(store, kAppends, kAppendBytes);
  const char* const first = segment->View(0, 1).data();
  segment.reset();
  ASSERT_TRUE(store.Discard(kId).ok());
  EXPECT_EQ(budget.used_bytes(), std::uint64_t{8} << 20);  // Without the last, which was shrunk.
  segment = Write(store, kAppends, kAppendBytes);
  EXPECT_TRUE(segment->View(0, 1).data() == first ||
              segment->View(5 * kAppendBytes, 1).data() == first);
  for (std::uint64_t i = 0; i < kAppends; ++i)
    ASSERT_EQ(segment->View(i * kAppendBytes, kAppendBytes),
              std::string(kAppendBytes, static_cast<char>('a' + i % 26)));
  segment.reset();
  ASSERT_TRUE(store.Discard(kId).ok());
  EXPECT_TRUE(budget.TryReserve(64 << 20));
  budget.Release(64 << 20);
}

TEST(MemorySegmentStore, OpenSegmentOutlivesItsDiscard) {
  MemoryBudget budget(64 << 20);
  MemorySegmentStore store(budget);
  const auto segment = Write(store, 1, 1000);
  ASSERT_TRUE(store.Discard(kId).ok());
  EXPECT_EQ(segment->View(0, 1000), std::string(1000, 'a'));
}

}  // namespace
}  // namespace spillway
