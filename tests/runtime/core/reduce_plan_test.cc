#include "runtime/core/reduce_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

namespace spillway {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::uint64_t kKiB = 1 << 10;
constexpr std::uint64_t kMiB = 1 << 20;

/// A job that folds, with so many map outputs that every split is worth it. All partitions
/// untouched unless a test says other.
class Job {
 public:
  explicit Job(std::vector<std::uint64_t> bytes) : bytes_(std::move(bytes)) {}

  ReduceLoads Loads() const {
    return {bytes_, std::accumulate(bytes_.begin(), bytes_.end(), std::uint64_t{0}), maps, slots,
            associative};
  }
  bool Hot(std::uint32_t partition) const { return IsHot(Loads(), partition, options); }
  ReducePlan Plan() const {
    std::vector<bool> untouched(bytes_.size(), true);
    for (const std::uint32_t partition : touched) untouched[partition] = false;
    return PlanReduces(Loads(), options, untouched);
  }

  std::uint32_t maps = 1'000;
  std::uint32_t slots = 4;
  bool associative = true;
  std::vector<std::uint32_t> touched;
  ReducePlanOptions options;

 private:
  std::vector<std::uint64_t> bytes_;
};

// --- Hot partitions.

TEST(ReducePlan, SplitsAPartitionOfTheSizeThatIsWorthIt) {
  EXPECT_FALSE(Job({64 * kMiB - 1, 0, 0}).Hot(0));
  EXPECT_TRUE(Job({64 * kMiB, 0, 0}).Hot(0));
  Job small({2 * kKiB, 0, 0});
  EXPECT_FALSE(small.Hot(0));
  small.options.split_bytes_min = 2 * kKiB;
  EXPECT_TRUE(small.Hot(0));
}

TEST(ReducePlan, SplitsThePartitionOfAJobThatHasNoOther) {
  Job job({100 * kMiB});
  EXPECT_THAT(job.Plan().splits, ElementsAre(SplitPartition{0, 4}));
  EXPECT_THAT(job.Plan().joins, IsEmpty());
}

TEST(ReducePlan, LeavesWholeWhatOneSlotDoesWhileTheOthersShareTheRest) {
  // A quarter of 396 MiB for one of 4 slots, and three times what the other nine have on average.
  std::vector<std::uint64_t> bytes(10, 33 * kMiB);
  bytes[4] = 99 * kMiB;
  EXPECT_FALSE(Job(bytes).Hot(4));
  bytes[4] += 4;
  EXPECT_TRUE(Job(bytes).Hot(4)) << "the others wait for it";
}

TEST(ReducePlan, LeavesWholeWhatTheOthersHaveAsMuchOf) {
  // More than a slot's share, but not more than twice the mean of the others.
  EXPECT_FALSE(Job({200 * kMiB, 100 * kMiB, 100 * kMiB}).Hot(0));
  EXPECT_TRUE(Job({200 * kMiB + 1, 100 * kMiB, 100 * kMiB}).Hot(0));
  EXPECT_THAT(Job({100 * kMiB, 100 * kMiB}).Plan().splits, IsEmpty());
}

TEST(ReducePlan, SplitsNothingOfAJobThatCannotCombine) {
  Job job({100 * kMiB, 0});
  job.associative = false;
  EXPECT_FALSE(job.Hot(0));
  EXPECT_THAT(job.Plan().splits, IsEmpty());
}

TEST(ReducePlan, SplitsNothingOfFewMapOutputs) {
  Job job({100 * kMiB, 0});
  job.maps = 7;
  EXPECT_FALSE(job.Hot(0));
  EXPECT_THAT(job.Plan().splits, IsEmpty());
  job.maps = 8;
  EXPECT_THAT(job.Plan().splits, ElementsAre(SplitPartition{0, 2})) << "of four map outputs each";
}

TEST(ReducePlan, SplitsNothingForFewSlots) {
  Job job({100 * kMiB, 0});
  job.slots = 3;
  EXPECT_FALSE(job.Hot(0));
  EXPECT_THAT(job.Plan().splits, IsEmpty());
  job.slots = 4;
  EXPECT_THAT(job.Plan().splits, ElementsAre(SplitPartition{0, 4}));
}

TEST(ReducePlan, PlansNothingWhereThereIsNoSlot) {
  Job job({100 * kMiB, 0, 0, 0});
  job.slots = 0;
  EXPECT_TRUE(job.Plan().empty());
}

TEST(ReducePlan, GivesEachSlotAPieceUpToTheLimits) {
  Job job({100 * kMiB});
  job.slots = 9;
  EXPECT_THAT(job.Plan().splits, ElementsAre(SplitPartition{0, 9}));
  job.slots = 100;
  EXPECT_THAT(job.Plan().splits, ElementsAre(SplitPartition{0, 16}));
  job.maps = 39;
  EXPECT_THAT(job.Plan().splits, ElementsAre(SplitPartition{0, 9})) << "of four map outputs each";
}

TEST(ReducePlan, SharesThePiecesAmongHotPartitionsByTheirSizes) {
  std::vector<std::uint64_t> bytes(20, kMiB);
  bytes[3] = 300 * kMiB;
  bytes[17] = 100 * kMiB;
  Job job(bytes);
  job.slots = 16;
  EXPECT_THAT(job.Plan().splits, ElementsAre(SplitPartition{3, 12}, SplitPartition{17, 4}));
}

TEST(ReducePlan, GivesAHotPartitionTwoPiecesAtLeast) {
  std::vector<std::uint64_t> bytes(20, kMiB);
  bytes[0] = 10'000 * kMiB;
  bytes[1] = 3'000 * kMiB;
  Job job(bytes);
  job.slots = 5;
  EXPECT_THAT(job.Plan().splits, ElementsAre(SplitPartition{0, 3}, SplitPartition{1, 2}));
}

TEST(ReducePlan, LeavesAHotPartitionThatWasStarted) {
  Job job({100 * kMiB, 0, 0});
  job.touched = {0};
  EXPECT_TRUE(job.Hot(0));
  EXPECT_THAT(job.Plan().splits, IsEmpty());
}

// --- Small partitions.

TEST(ReducePlan, LeavesEachSlotFourTasks) {
  // 4 slots: 16 tasks, so that 47 partitions are joined by two.
  Job job(std::vector<std::uint64_t>(47, 10));
  ReducePlan plan = job.Plan();
  ASSERT_EQ(plan.joins.size(), 23u);
  for (std::uint32_t i = 0; i < 23; ++i)
    EXPECT_EQ(plan.joins[i], (JoinedPartitions{2 * i, 2})) << "the last one is alone";
  job = Job(std::vector<std::uint64_t>(48, 10));
  EXPECT_THAT(job.Plan().joins,
              ElementsAre(JoinedPartitions{0, 3}, JoinedPartitions{3, 3}, JoinedPartitions{6, 3},
                          JoinedPartitions{9, 3}, JoinedPartitions{12, 3}, JoinedPartitions{15, 3},
                          JoinedPartitions{18, 3}, JoinedPartitions{21, 3}, JoinedPartitions{24, 3},
                          JoinedPartitions{27, 3}, JoinedPartitions{30, 3}, JoinedPartitions{33, 3},
                          JoinedPartitions{36, 3}, JoinedPartitions{39, 3}, JoinedPartitions{42, 3},
                          JoinedPartitions{45, 3}));
  EXPECT_TRUE(Job(std::vector<std::uint64_t>(31, 10)).Plan().empty());
}

TEST(ReducePlan, JoinsWhetherTheJobCombinesOrNot) {
  Job job(std::vector<std::uint64_t>(32, 10));
  job.associative = false;
  job.maps = 1;
  EXPECT_EQ(job.Plan().joins.size(), 16u);
}

TEST(ReducePlan, JoinsNoMoreThanAnAttemptShouldHave) {
  Job job(std::vector<std::uint64_t>(1'000, 10));
  job.slots = 1;
  const std::vector<JoinedPartitions> joins = job.Plan().joins;
  ASSERT_EQ(joins.size(), 16u);
  EXPECT_EQ(joins[0], (JoinedPartitions{0, 64}));
  EXPECT_EQ(joins[14], (JoinedPartitions{896, 64}));
  EXPECT_EQ(joins[15], (JoinedPartitions{960, 40})) << "what is left";
}

TEST(ReducePlan, JoinsEmptyPartitions) {
  Job job(std::vector<std::uint64_t>(64, 0));
  ASSERT_EQ(job.Plan().joins.size(), 16u);
  for (const JoinedPartitions& join : job.Plan().joins) EXPECT_EQ(join.count, 4u);
}

TEST(ReducePlan, JoinsUpToFourMebibytes) {
  // 1600 of 1 MiB: a task of each of the 16 may have 100 of them, but not together.
  Job job(std::vector<std::uint64_t>(1'600, kMiB));
  ASSERT_EQ(job.Plan().joins.size(), 400u);
  for (const JoinedPartitions& join : job.Plan().joins) EXPECT_EQ(join.count, 4u);
  EXPECT_TRUE(Job(std::vector<std::uint64_t>(1'600, 2 * kMiB + 1)).Plan().empty());
}

TEST(ReducePlan, JoinsNoMoreBytesThanATaskOfAverage) {
  // 16 MiB in all, so that each of 16 tasks has 1 MiB: five partitions, or ten, which are enough.
  std::vector<std::uint64_t> bytes(160, kMiB / 100);
  std::fill_n(bytes.begin(), 80, kMiB * 19 / 100);
  const std::vector<JoinedPartitions> joins = Job(bytes).Plan().joins;
  ASSERT_EQ(joins.size(), 24u);
  EXPECT_EQ(joins[0], (JoinedPartitions{0, 5}));
  EXPECT_EQ(joins[14], (JoinedPartitions{70, 5}));
  EXPECT_EQ(joins[15], (JoinedPartitions{75, 10})) << "five large ones have room for five small";
  EXPECT_EQ(joins[22], (JoinedPartitions{145, 10}));
  EXPECT_EQ(joins[23], (JoinedPartitions{155, 5}));
}

TEST(ReducePlan, LeavesALargePartitionAloneAndJoinsThoseBehindIt) {
  std::vector<std::uint64_t> bytes(48, kMiB);
  std::fill_n(bytes.begin(), 8, 3 * kMiB);
  const std::vector<JoinedPartitions> joins = Job(bytes).Plan().joins;
  ASSERT_EQ(joins.size(), 14u);
  EXPECT_EQ(joins[0], (JoinedPartitions{7, 2})) << "3 MiB and 1 MiB";
  EXPECT_EQ(joins[1], (JoinedPartitions{9, 3}));
}

TEST(ReducePlan, JoinsWhatIsTinyHoweverLittleThereIsInAll) {
  // 16 KiB in one of them: a share is 1 KiB, and still less than 64 KiB are joined.
  std::vector<std::uint64_t> bytes(32, 0);
  bytes[0] = 16 * kKiB;
  EXPECT_EQ(Job(bytes).Plan().joins.front(), (JoinedPartitions{0, 2}));
  bytes[0] = 64 * kKiB + 1;
  EXPECT_EQ(Job(bytes).Plan().joins.front(), (JoinedPartitions{1, 2}));
}

TEST(ReducePlan, JoinsNeitherStartedPartitionsNorAcrossThem) {
  Job job(std::vector<std::uint64_t>(16, 10));
  job.slots = 1;
  job.touched = {0, 5, 6, 8, 15};
  EXPECT_THAT(job.Plan().joins,
              ElementsAre(JoinedPartitions{1, 4}, JoinedPartitions{9, 4}, JoinedPartitions{13, 2}))
      << "7 has no neighbour";
}

TEST(ReducePlan, JoinsAroundASplitPartition) {
  std::vector<std::uint64_t> bytes(16, 10);
  bytes[6] = 100 * kMiB;
  Job job(bytes);
  job.slots = 2;
  job.options.split_slots_min = 2;
  const ReducePlan plan = job.Plan();
  EXPECT_THAT(plan.splits, ElementsAre(SplitPartition{6, 2}));
  EXPECT_THAT(plan.joins,
              ElementsAre(JoinedPartitions{0, 2}, JoinedPartitions{2, 2}, JoinedPartitions{4, 2},
                          JoinedPartitions{7, 2}, JoinedPartitions{9, 2}, JoinedPartitions{11, 2},
                          JoinedPartitions{13, 2}));
}

TEST(ReducePlan, NeverJoinsAHotPartitionThoughItIsSmall) {
  std::vector<std::uint64_t> bytes(32, 1);
  bytes[0] = 2 * kKiB;
  Job job(bytes);
  job.options.split_bytes_min = kKiB;
  const ReducePlan plan = job.Plan();
  EXPECT_THAT(plan.splits, ElementsAre(SplitPartition{0, 4}));
  EXPECT_EQ(plan.joins.front(), (JoinedPartitions{1, 2}));
}

TEST(ReducePlan, HasNothingToDoWithOneSmallReduceOrNone) {
  EXPECT_TRUE(Job({10}).Plan().empty());
  EXPECT_TRUE(Job({}).Plan().empty());
}

// --- Pieces.

TEST(ReducePlan, CutsMapsIntoPiecesThatCoverEachOnce) {
  for (std::uint32_t pieces = 2; pieces <= 16; ++pieces) {
    for (std::uint32_t maps = pieces; maps < 70; ++maps) {
      std::uint32_t next = 0;
      for (std::uint32_t piece = 0; piece < pieces; ++piece) {
        const SegmentRange range = MapsOfPiece(maps, pieces, piece);
        ASSERT_EQ(range.first, next) << maps << " maps, piece " << piece << " of " << pieces;
        ASSERT_GE(range.count, maps / pieces);
        ASSERT_LE(range.count, maps / pieces + 1);
        next += range.count;
      }
      ASSERT_EQ(next, maps);
    }
  }
}

TEST(ReducePlan, CutsAMillionMapsWithoutOverflow) {
  const SegmentRange last = MapsOfPiece(UINT32_MAX, 16, 15);
  EXPECT_EQ(std::uint64_t{last.first} + last.count, UINT32_MAX);
}

}  // namespace
}  // namespace spillway
