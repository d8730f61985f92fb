#include "runtime/core/reduce_layout.h"

#include <gtest/gtest.h>

namespace spillway {
namespace {

AttemptId Reduce(std::uint32_t task) { return {1, TaskKind::kReduce, task, 0}; }
AttemptId Combine(std::uint32_t task) { return {1, TaskKind::kCombine, task, 0}; }

/// Partition 1 in two pieces, 4 in three; 5 to 8 together, and 9 and 10.
const ReducePlan kPlan = {{{1, 2}, {4, 3}}, {{5, 4}, {9, 2}}};

TEST(ReduceLayout, IsThatOfEachPartitionByItselfUntilAPlanIsApplied) {
  ReduceLayout layout(10);
  EXPECT_FALSE(layout.applied());
  EXPECT_EQ(layout.combines(), 0u);
  EXPECT_EQ(layout.joined(), 0u);
  EXPECT_EQ(layout.PartitionsOf(3), 1u);
  EXPECT_EQ(layout.SplitOf(3), nullptr);
  EXPECT_EQ(layout.SourcesOf(Reduce(3)), (SegmentRange{0, 10}));
}

TEST(ReduceLayout, KnowsWhichTasksOnlyWorkersRunThatKnowPlans) {
  ReduceLayout layout(10);
  EXPECT_FALSE(layout.NeedsPlans(TaskKind::kReduce, 4));
  layout.Apply(kPlan);
  EXPECT_FALSE(layout.NeedsPlans(TaskKind::kMap, 4));
  EXPECT_TRUE(layout.NeedsPlans(TaskKind::kCombine, 0));
  EXPECT_TRUE(layout.NeedsPlans(TaskKind::kReduce, 4)) << "it is split";
  EXPECT_TRUE(layout.NeedsPlans(TaskKind::kReduce, 5)) << "it stands for four";
  EXPECT_FALSE(layout.NeedsPlans(TaskKind::kReduce, 0));
}

TEST(ReduceLayout, ReadsAPartitionWholeThatWasSplit) {
  ReduceLayout layout(10);
  layout.Apply(kPlan);
  ReduceLayout::Split& split = layout.SplitOfCombine(2);
  EXPECT_FALSE(split.ready());
  split.whole = true;
  EXPECT_TRUE(split.ready());
  EXPECT_FALSE(layout.NeedsPlans(TaskKind::kReduce, 4));
  EXPECT_EQ(layout.SourcesOf(Reduce(4)), (SegmentRange{0, 10}));
}

TEST(ReduceLayout, NumbersCombineTasksAcrossSplitPartitions) {
  ReduceLayout layout(10);
  layout.Apply(kPlan);
  EXPECT_EQ(layout.combines(), 5u);
  for (const std::uint32_t combine : {0, 1})
    EXPECT_EQ(layout.SplitOfCombine(combine).partition, 1u);
  for (const std::uint32_t combine : {2, 3, 4})
    EXPECT_EQ(layout.SplitOfCombine(combine).partition, 4u);
  ASSERT_NE(layout.SplitOf(4), nullptr);
  EXPECT_EQ(layout.SplitOf(4)->first_combine, 2u);
  EXPECT_EQ(layout.SplitOf(4)->pieces, 3u);
  EXPECT_EQ(layout.SplitOf(5), nullptr);
}

TEST(ReduceLayout, GivesCombinesTheMapsAndTheirReduceTheCombines) {
  ReduceLayout layout(10);
  layout.Apply(kPlan);
  EXPECT_EQ(layout.SourcesOf(Combine(0)), (SegmentRange{0, 5}));
  EXPECT_EQ(layout.SourcesOf(Combine(1)), (SegmentRange{5, 5}));
  EXPECT_EQ(layout.SourcesOf(Combine(2)), (SegmentRange{0, 3}));
  EXPECT_EQ(layout.SourcesOf(Combine(3)), (SegmentRange{3, 3}));
  EXPECT_EQ(layout.SourcesOf(Combine(4)), (SegmentRange{6, 4}));
  EXPECT_EQ(layout.SourcesOf(Reduce(1)), (SegmentRange{10, 2}));
  EXPECT_EQ(layout.SourcesOf(Reduce(4)), (SegmentRange{12, 3}));
  EXPECT_EQ(layout.SourcesOf(Reduce(0)), (SegmentRange{0, 10}));
  EXPECT_EQ(layout.SourcesOf(Reduce(5)), (SegmentRange{0, 10})) << "joined ones read maps";
}

TEST(ReduceLayout, NumbersSegmentsOfMapsFirst) {
  ReduceLayout layout(10);
  layout.Apply(kPlan);
  EXPECT_EQ(layout.SegmentOf(TaskKind::kMap, 9), 9u);
  EXPECT_EQ(layout.SegmentOf(TaskKind::kCombine, 3), 13u);
  EXPECT_EQ(layout.ProducerOf(9).kind, TaskKind::kMap);
  EXPECT_EQ(layout.ProducerOf(9).task, 9u);
  EXPECT_EQ(layout.ProducerOf(10).kind, TaskKind::kCombine);
  EXPECT_EQ(layout.ProducerOf(10).task, 0u);
}

TEST(ReduceLayout, DissolvesOneJoinAndLeavesTheOthers) {
  ReduceLayout layout(10);
  layout.Apply(kPlan);
  EXPECT_EQ(layout.PartitionsOf(5), 4u);
  EXPECT_EQ(layout.PartitionsOf(6), 1u);
  EXPECT_EQ(layout.joined(), 4u);
  layout.Dissolve(6);
  EXPECT_EQ(layout.PartitionsOf(5), 4u) << "6 stands for none";
  layout.Dissolve(5);
  EXPECT_EQ(layout.PartitionsOf(5), 1u);
  EXPECT_EQ(layout.PartitionsOf(9), 2u);
  EXPECT_EQ(layout.joined(), 1u);
  layout.Dissolve(9);
  EXPECT_EQ(layout.joined(), 0u);
  EXPECT_EQ(layout.Joins(), std::vector<std::uint32_t>{});
}

TEST(ReduceLayout, IsReadyWithTheLastPiece) {
  ReduceLayout layout(10);
  layout.Apply(kPlan);
  ReduceLayout::Split& split = layout.SplitOfCombine(3);
  split.done = 2;
  EXPECT_FALSE(layout.SplitOf(4)->ready());
  ++split.done;
  EXPECT_TRUE(layout.SplitOf(4)->ready());
  EXPECT_FALSE(layout.SplitOf(1)->ready());
}

TEST(ReduceLayout, KnowsWhatAPlanCanBe) {
  const auto fits = [](const ReducePlan& plan) { return ReduceLayout::Fits(plan, 10, 11); };
  EXPECT_TRUE(fits(kPlan));
  EXPECT_TRUE(fits({}));
  EXPECT_TRUE(fits({{{10, 10}}, {{0, 10}}}));
  // Splits: of what is not there, twice, in one piece, in more pieces than maps.
  EXPECT_FALSE(fits({{{11, 2}}, {}}));
  EXPECT_FALSE(fits({{{3, 2}, {3, 2}}, {}}));
  EXPECT_FALSE(fits({{{3, 1}}, {}}));
  EXPECT_FALSE(fits({{{3, 11}}, {}}));
  // Joins: of one, of none, beyond the last, one within another, side by side by one too far.
  EXPECT_FALSE(fits({{}, {{3, 1}}}));
  EXPECT_FALSE(fits({{}, {{3, 0}}}));
  EXPECT_FALSE(fits({{}, {{9, 3}}}));
  EXPECT_FALSE(fits({{}, {{0, 12}}}));
  EXPECT_FALSE(fits({{}, {{2, 6}, {4, 2}}}));
  EXPECT_FALSE(fits({{}, {{2, 3}, {4, 2}}}));
  // Numbers whose sum is small again.
  EXPECT_FALSE(fits({{}, {{UINT32_MAX, 2}}}));
  EXPECT_FALSE(fits({{}, {{2, UINT32_MAX}}}));
  // A partition that is both.
  EXPECT_FALSE(fits({{{3, 2}}, {{2, 2}}}));
  EXPECT_FALSE(ReduceLayout::Fits({{{0, 2}}, {}}, 1, 1)) << "one map";
  EXPECT_FALSE(ReduceLayout::Fits({{{0, 2}}, {}}, 4, 0)) << "map-only";
}

TEST(ReduceLayoutDeathTest, TakesOnePlan) {
  ReduceLayout layout(10);
  layout.Apply(kPlan);
  EXPECT_DEATH(layout.Apply(kPlan), "applied_");
}

}  // namespace
}  // namespace spillway
