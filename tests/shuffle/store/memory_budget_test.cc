#include "shuffle/store/memory_budget.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "mapreduce/abi.h"

namespace spillway {
namespace {

TEST(MemoryBudget, GivesWhatItHasAndRemembersThePeak) {
  MemoryBudget budget(100);
  EXPECT_TRUE(budget.TryReserve(60));
  EXPECT_FALSE(budget.TryReserve(41));
  EXPECT_TRUE(budget.TryReserve(40));
  EXPECT_FALSE(budget.TryReserve(1));
  budget.ReserveForced(50);
  EXPECT_EQ(budget.used_bytes(), 150u);
  EXPECT_FALSE(budget.TryReserve(1));
  budget.Release(150);
  EXPECT_EQ(budget.used_bytes(), 0u);
  EXPECT_EQ(budget.peak_bytes(), 150u);
  EXPECT_FALSE(budget.TryReserve(101));
  EXPECT_FALSE(budget.TryReserve(UINT64_MAX));
}

TEST(MemoryBudget, ThreadsNeverTakeMoreThanThereIs) {
  MemoryBudget budget(1000);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&budget] {
      for (int i = 0; i < 20'000; ++i)
        if (budget.TryReserve(300)) budget.Release(300);
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(budget.used_bytes(), 0u);
  EXPECT_LE(budget.peak_bytes(), 1000u);
}

TEST(MemoryBudgetDeathTest, StopsWhenMoreIsReleasedThanWasTaken) {
  MemoryBudget budget(10);
  EXPECT_DEATH(budget.Release(1), "vs");
}

TEST(Buffer, IsZeroedPaddedAndChargedWhileItLives) {
  for (const std::uint64_t bytes : {1u, 4032u, 4096u, 4097u, 2u << 20, 5u << 20}) {
    MemoryBudget budget(8 << 20);
    {
      auto buffer = Buffer::Allocate(budget, bytes);
      ASSERT_TRUE(buffer.ok());
      EXPECT_EQ(buffer->size(), bytes);
      EXPECT_EQ(budget.used_bytes(), bytes);
      for (std::uint64_t i = 0; i < bytes + SPILLWAY_PADDING_BYTES; i += 63)
        ASSERT_EQ(buffer->data()[i], 0);
      buffer->data()[bytes - 1] = 'x';
      Buffer moved = std::move(*buffer);
      EXPECT_EQ(budget.used_bytes(), bytes);
      EXPECT_EQ(moved.data()[bytes - 1], 'x');
    }
    EXPECT_EQ(budget.used_bytes(), 0u);
  }
}

TEST(Buffer, ShrinksInPlace) {
  MemoryBudget budget(8 << 20);
  auto buffer = Buffer::Allocate(budget, 4 << 20);
  ASSERT_TRUE(buffer.ok());
  buffer->data()[9999] = 'x';
  buffer->ShrinkTo(10'000);
  EXPECT_EQ(budget.used_bytes(), 10'000u);
  EXPECT_EQ(buffer->data()[9999], 'x');
  for (unsigned i = 0; i < SPILLWAY_PADDING_BYTES; ++i) EXPECT_EQ(buffer->data()[10'000 + i], 0);
  buffer->ShrinkTo(0);
  EXPECT_EQ(budget.used_bytes(), 0u);
}

TEST(Buffer, RefusesBeyondTheBudgetUnlessForced) {
  MemoryBudget budget(1000);
  const auto refused = Buffer::Allocate(budget, 1001);
  EXPECT_EQ(refused.status().code(), Code::kResourceExhausted);
  EXPECT_EQ(budget.used_bytes(), 0u);
  const auto forced = Buffer::AllocateForced(budget, 5000);
  ASSERT_TRUE(forced.ok());
  EXPECT_EQ(budget.used_bytes(), 5000u);
}

TEST(Buffer, ARecycledMappingStaysChargedUntilSomebodyNeedsTheRoom) {
  MemoryBudget budget(8 << 20);
  char* data = nullptr;
  {
    auto buffer = Buffer::AllocateRecycled(budget, 4 << 20);
    ASSERT_TRUE(buffer.ok());
    data = buffer->data();
    data[100] = 'x';
  }
  EXPECT_EQ(budget.used_bytes(), 4u << 20);
  {
    auto other_size = Buffer::AllocateRecycled(budget, 3 << 20);
    ASSERT_TRUE(other_size.ok());
    auto again = Buffer::AllocateRecycled(budget, 4 << 20);
    ASSERT_TRUE(again.ok());
    EXPECT_EQ(again->data(), data);
    EXPECT_EQ(data[100], 'x');
    EXPECT_EQ(budget.used_bytes(), 7u << 20);
  }
  // Neither idle mapping stands in the way of a buffer that needs the room.
  auto all = Buffer::Allocate(budget, 8 << 20);
  ASSERT_TRUE(all.ok());
  EXPECT_EQ(budget.used_bytes(), 8u << 20);
}

TEST(Buffer, OneThatWasShrunkIsNotKept) {
  MemoryBudget budget(8 << 20);
  {
    auto buffer = Buffer::AllocateRecycled(budget, 4 << 20);
    ASSERT_TRUE(buffer.ok());
    buffer->ShrinkTo(1 << 20);
    EXPECT_EQ(budget.used_bytes(), 1u << 20);
  }
  EXPECT_EQ(budget.used_bytes(), 0u);
}

TEST(MemoryBudget, ASmallerOneRefusesUntilEnoughWasReleasedAndALargerOneGives) {
  MemoryBudget budget(1000);
  ASSERT_TRUE(budget.TryReserve(800));
  budget.Resize(500, true);
  EXPECT_EQ(budget.used_bytes(), 800u);
  EXPECT_FALSE(budget.TryReserve(1));
  budget.Release(400);
  EXPECT_TRUE(budget.TryReserve(100));
  EXPECT_FALSE(budget.TryReserve(1));
  budget.Resize(2000, true);
  EXPECT_TRUE(budget.TryReserve(1500));
  budget.Release(2000);
}

TEST(MemoryBudget, KeepsNoMappingsThatAreBeyondItsNewEnd) {
  MemoryBudget budget(8 << 20);
  auto in_use = Buffer::AllocateRecycled(budget, 4 << 20);
  { auto idle = Buffer::AllocateRecycled(budget, 2 << 20); }
  EXPECT_EQ(budget.used_bytes(), 6u << 20);
  budget.Resize(3 << 20, true);
  EXPECT_EQ(budget.used_bytes(), 4u << 20);  // Not what is in use,
  in_use->Reset();
  EXPECT_EQ(budget.used_bytes(), 0u);  // but that neither once it is not.
}

TEST(MemoryBudget, KeepsNoIdleMappingsThatOthersAreToHave) {
  MemoryBudget budget(8 << 20);
  { auto idle = Buffer::AllocateRecycled(budget, 2 << 20); }
  budget.Resize(8 << 20, false);
  EXPECT_EQ(budget.used_bytes(), 0u);
  { auto used = Buffer::AllocateRecycled(budget, 2 << 20); }
  EXPECT_EQ(budget.used_bytes(), 0u);
  budget.Resize(8 << 20, true);
  { auto idle = Buffer::AllocateRecycled(budget, 2 << 20); }
  EXPECT_EQ(budget.used_bytes(), 2u << 20);
}

}  // namespace
}  // namespace spillway
