#include "runtime/core/memory_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace spillway {
namespace {

using ::testing::HasSubstr;

TEST(PlanMemory, NeverPlansMoreThanTheBudget) {
  for (std::uint32_t seed = 0; seed < 20'000; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    MemoryDemand demand;
    demand.total_bytes = (std::uint64_t{1} << (20 + random() % 20)) + random() % kMiB;
    demand.baseline_bytes = random() % (std::min(demand.total_bytes, 200 * kMiB));
    demand.threads = 1 + random() % 128;
    demand.split_bytes = random() % (kGiB);
    demand.reducers = 1 + random() % 5'000;
    demand.decoder_bytes = random() % 2 == 0 ? 0 : 1 + random() % (16 * kMiB);
    const auto plan = PlanMemory(demand);
    if (!plan.ok()) {
      ASSERT_EQ(plan.status().code(), Code::kInvalidArgument);
      ASSERT_LT(demand.total_bytes - demand.baseline_bytes, 3 * kMiB + demand.decoder_bytes);
      continue;
    }
    ASSERT_EQ(plan->decoder_bytes, demand.decoder_bytes);
    ASSERT_LE(plan->sum_bytes(), demand.total_bytes);
    ASSERT_GE(plan->sum_bytes() + demand.threads, demand.total_bytes) << "memory left unused";
    ASSERT_GE(plan->task_bytes, kTaskBytesMin);
    ASSERT_GE(plan->threads, 1u);
    ASSERT_LE(plan->threads, demand.threads);
    ASSERT_EQ(plan->reasons.size(), demand.decoder_bytes == 0 ? 8u : 9u);
  }
}

TEST(PlanMemory, RunsEightThreadsInASmallBudget) {
  const auto plan = PlanMemory({.total_bytes = 32 * kMiB,
                                .baseline_bytes = 12 * kMiB,
                                .threads = 8,
                                .split_bytes = 128 * kMiB,
                                .reducers = 16});
  ASSERT_TRUE(plan.ok());
  EXPECT_EQ(plan->threads, 8u);
  EXPECT_GE(plan->task_bytes, kMiB);
  EXPECT_GT(plan->segment_bytes, 0u);
}

TEST(PlanMemory, HoldsAWholeSplitInALargeBudgetAndGivesTheRestToSegments) {
  const auto plan = PlanMemory({.total_bytes = 8 * kGiB,
                                .baseline_bytes = 20 * kMiB,
                                .threads = 2,
                                .split_bytes = 128 * kMiB,
                                .reducers = 4});
  ASSERT_TRUE(plan.ok());
  // A last split is a tenth longer, and each record of 100 bytes has an entry of 16.
  EXPECT_GE(plan->task_bytes, 128 * kMiB * 110 / 100 * 116 / 100 + 16 * kMiB);
  EXPECT_GE(plan->segment_bytes, 7 * kGiB);
}

TEST(PlanMemory, GivesUpThreadsBeforeItRefuses) {
  const MemoryDemand demand{.total_bytes = 16 * kMiB, .baseline_bytes = 12 * kMiB, .threads = 8};
  const auto plan = PlanMemory(demand);
  ASSERT_TRUE(plan.ok());
  EXPECT_GE(plan->threads, 2u);
  EXPECT_LT(plan->threads, 8u);
  EXPECT_THAT(plan->reasons[0].second, HasSubstr("of 8"));

  const auto none = PlanMemory({.total_bytes = 12 * kMiB, .baseline_bytes = 12 * kMiB});
  EXPECT_THAT(none.status().message(), HasSubstr("give at least"));
  EXPECT_EQ(PlanMemory({.total_bytes = kGiB, .threads = 0}).status().code(),
            Code::kInvalidArgument);
}

}  // namespace
}  // namespace spillway
