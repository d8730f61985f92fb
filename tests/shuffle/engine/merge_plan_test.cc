#include "shuffle/engine/merge_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace spillway {
namespace {

constexpr MergeLimits kFanInTen{
    .memory_bytes = 1'000'000, .memory_per_run = 0, .write_bytes = 0, .fan_in_max = 10};

std::vector<RunCost> EqualRuns(std::size_t count) {
  return std::vector<RunCost>(count, RunCost{.buffer_bytes = 100, .raw_bytes = 1000});
}

/// Merges as the plan says until it says no more; returns the sizes of the merges.
std::vector<std::size_t> FollowPlan(std::vector<RunCost>& runs, const MergeLimits& limits,
                                    std::uint64_t* copied_bytes = nullptr) {
  std::vector<std::size_t> sizes;
  while (const auto range = NextMerge(runs, limits)) {
    RunCost merged{.buffer_bytes = 100, .raw_bytes = 0};
    EXPECT_GE(range->count, 2u);
    EXPECT_LE(range->begin + range->count, runs.size());
    const auto first = runs.begin() + static_cast<std::ptrdiff_t>(range->begin);
    for (std::size_t i = 0; i < range->count; ++i)
      merged.raw_bytes += runs[range->begin + i].raw_bytes;
    if (copied_bytes != nullptr) *copied_bytes += merged.raw_bytes;
    runs.erase(first + 1, first + static_cast<std::ptrdiff_t>(range->count));
    runs[range->begin] = merged;
    sizes.push_back(range->count);
  }
  return sizes;
}

TEST(MergePlanTest, RunsThatFitNeedNoMergeAhead) {
  for (const std::size_t count : {0, 1, 2, 9, 10})
    EXPECT_FALSE(NextMerge(EqualRuns(count), kFanInTen).has_value()) << count;
}

TEST(MergePlanTest, FirstMergeTakesWhatMakesTheOthersFull) {
  auto runs = EqualRuns(11);
  EXPECT_THAT(FollowPlan(runs, kFanInTen), testing::ElementsAre(2));
  runs = EqualRuns(19);
  EXPECT_THAT(FollowPlan(runs, kFanInTen), testing::ElementsAre(10));
  runs = EqualRuns(22);
  EXPECT_THAT(FollowPlan(runs, kFanInTen), testing::ElementsAre(4, 10));
  runs = EqualRuns(100);
  EXPECT_THAT(FollowPlan(runs, kFanInTen), testing::SizeIs(10));
  EXPECT_EQ(runs.size(), 10u) << "the last merge is full, too";
}

TEST(MergePlanTest, NothingIsCopiedTwiceWhileOnePassIsEnough) {
  auto runs = EqualRuns(100);
  std::uint64_t copied_bytes = 0;
  FollowPlan(runs, kFanInTen, &copied_bytes);
  EXPECT_EQ(copied_bytes, 100'000u);
}

TEST(MergePlanTest, TakesTheCheapestNeighbours) {
  auto runs = EqualRuns(12);
  for (std::size_t i : {4, 5, 6}) runs[i].raw_bytes = 10;
  const auto range = NextMerge(runs, kFanInTen);
  ASSERT_TRUE(range.has_value());
  EXPECT_EQ(range->begin, 4u);
  EXPECT_EQ(range->count, 3u);
}

TEST(MergePlanTest, BuffersStayWithinTheMemory) {
  const MergeLimits limits{
      .memory_bytes = 2000, .memory_per_run = 10, .write_bytes = 300, .fan_in_max = 1000};
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    std::mt19937_64 random(seed);
    std::vector<RunCost> runs(random() % 200);
    for (RunCost& run : runs) run = {.buffer_bytes = random() % 300, .raw_bytes = random() % 5000};
    while (const auto range = NextMerge(runs, limits)) {
      std::uint64_t bytes = limits.write_bytes;
      RunCost merged{.buffer_bytes = 100, .raw_bytes = 0};
      for (std::size_t i = 0; i < range->count; ++i) {
        bytes += runs[range->begin + i].buffer_bytes + limits.memory_per_run;
        merged.raw_bytes += runs[range->begin + i].raw_bytes;
      }
      EXPECT_LE(bytes, limits.memory_bytes);
      const auto first = runs.begin() + static_cast<std::ptrdiff_t>(range->begin);
      runs.erase(first + 1, first + static_cast<std::ptrdiff_t>(range->count));
      runs[range->begin] = merged;
    }
    std::uint64_t bytes = 0;
    for (const RunCost& run : runs) bytes += run.buffer_bytes + limits.memory_per_run;
    EXPECT_LE(bytes, limits.memory_bytes);
  }
}

TEST(MergePlanTest, TwoRunsAreMergedWhateverTheyNeed) {
  std::vector<RunCost> runs(5, RunCost{.buffer_bytes = 1'000'000, .raw_bytes = 1});
  const MergeLimits limits{
      .memory_bytes = 10, .memory_per_run = 10, .write_bytes = 10, .fan_in_max = 1};
  EXPECT_THAT(FollowPlan(runs, limits), testing::ElementsAre(2, 2, 2));
  EXPECT_EQ(runs.size(), 2u);
}

}  // namespace
}  // namespace spillway
