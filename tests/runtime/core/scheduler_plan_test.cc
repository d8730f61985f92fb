// What the scheduler makes of a plan of the reduce work: joined and split partitions.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "runtime/core/large_first.h"
#include "runtime/core/scheduler.h"
#include "tests/runtime/core/scheduler_driver.h"

namespace spillway {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

AttemptId Combine(std::uint32_t task, std::uint32_t attempt) {
  return {1, TaskKind::kCombine, task, attempt};
}

AttemptDone Sized(const AttemptId& id, const std::vector<std::uint64_t>& bytes) {
  AttemptDone done{id, 1, {}, {}, {}};
  for (const std::uint64_t each : bytes)
    done.partition_sizes.push_back(static_cast<char>(SizeByteOf(each)));
  return done;
}

std::vector<AttemptId> Started(const SchedulerDriver& d) {
  std::vector<AttemptId> started;
  for (const StartCombine& start : d.All<StartCombine>()) started.push_back(start.attempt);
  for (const StartReduce& start : d.All<StartReduce>()) started.push_back(start.attempt);
  return started;
}

/// All segments that attempts were told of by the last event.
std::vector<SegmentRef> Announced(const SchedulerDriver& d) {
  std::vector<SegmentRef> segments;
  for (const SegmentsAvailable& each : d.All<SegmentsAvailable>())
    segments.insert(segments.end(), each.segments.begin(), each.segments.end());
  return segments;
}

// --- Joined partitions.

/// One worker with one slot; twelve partitions with the same little in each.
class JoinedReduces : public ::testing::Test {
 protected:
  JoinedReduces() { d.Join(1, 1).Submit(1, {.maps = 1, .reduces = 12}); }
  void FinishMaps() { d.Send(Sized(MapAttempt(1, 0, 0), std::vector<std::uint64_t>(12, 10))); }

  SchedulerDriver d{SmallPlans()};
};

TEST_F(JoinedReduces, TheirSizesAreSeenFromTheFirstMapOn) {
  EXPECT_THAT(d.scheduler().ViewJob(1)->partition_bytes, IsEmpty());
  FinishMaps();
  EXPECT_THAT(d.scheduler().ViewJob(1)->partition_bytes,
              ElementsAreArray(std::vector<std::uint64_t>(12, 10)));
}

TEST_F(JoinedReduces, AreStartedAndCommittedAsOne) {
  FinishMaps();
  EXPECT_THAT(d.Only<CutReduces>().plan.joins,
              ElementsAre(JoinedPartitions{0, 3}, JoinedPartitions{3, 3}, JoinedPartitions{6, 3},
                          JoinedPartitions{9, 3}));
  EXPECT_THAT(d.Only<CutReduces>().plan.splits, IsEmpty());
  EXPECT_EQ(d.Only<StartReduce>().attempt, ReduceAttempt(1, 0, 0));
  EXPECT_EQ(d.Only<StartReduce>().partitions, 3u);
  EXPECT_EQ(d.Only<StartReduce>().sources, (SegmentRange{0, 1}));
  EXPECT_EQ(d.scheduler().PartitionsOf(ReduceAttempt(1, 0, 0)), 3u);
  EXPECT_EQ(d.scheduler().ViewJob(1)->joined_partitions, 8u);
  EXPECT_EQ(d.scheduler().ViewJob(1)->reduces_running, 1u);
  d.Commit(ReduceAttempt(1, 0, 0));
  EXPECT_EQ(d.scheduler().ViewJob(1)->reduces_done, 3u);
  for (const std::uint32_t first : {3, 6, 9}) {
    EXPECT_EQ(d.Only<StartReduce>().attempt, ReduceAttempt(1, first, 0));
    EXPECT_THAT(d.All<CommitJob>(), IsEmpty());
    d.Commit(ReduceAttempt(1, first, 0));
  }
  const auto outputs = d.Only<CommitJob>().outputs;
  ASSERT_EQ(outputs.size(), 12u);
  for (std::uint32_t task = 0; task < 12; ++task) {
    EXPECT_EQ(outputs[task].task, task);
    EXPECT_EQ(outputs[task].attempt, 0u);
    EXPECT_EQ(outputs[task].epoch, 1u);
  }
  d.Send(JobCommitted{1, OkStatus()});
  EXPECT_EQ(d.Only<JobEnded>().tally.attempts_started, 5u);
}

TEST_F(JoinedReduces, AreReducedOneByOneAfterAFailure) {
  FinishMaps();
  d.Fail(ReduceAttempt(1, 0, 0), Aborted("too much in all of them"));
  for (const std::uint32_t task : {0, 1, 2}) {
    EXPECT_EQ(d.Only<StartReduce>().attempt, ReduceAttempt(1, task, 1))
        << "the attempts so far may have left files of this number";
    EXPECT_EQ(d.Only<StartReduce>().partitions, 1u);
    EXPECT_EQ(d.scheduler().PartitionsOf(ReduceAttempt(1, task, 1)), 1u);
    d.Commit(ReduceAttempt(1, task, 1));
  }
  EXPECT_EQ(d.Only<StartReduce>().partitions, 3u) << "the others stay together";
  EXPECT_EQ(d.scheduler().ViewJob(1)->joined_partitions, 6u);
  for (const std::uint32_t first : {3, 6, 9}) d.Commit(ReduceAttempt(1, first, 0));
  const auto outputs = d.Only<CommitJob>().outputs;
  ASSERT_EQ(outputs.size(), 12u);
  EXPECT_EQ(outputs[2].attempt, 1u);
  EXPECT_EQ(outputs[3].attempt, 0u);
}

// Who heard of the first grant and who hears of the second must not mean the same one.
TEST_F(JoinedReduces, HaveAnEpochOfTheirOwnAfterAGrantThatCameToNothing) {
  FinishMaps();
  d.Send(CommitRequested{ReduceAttempt(1, 0, 0)});
  ASSERT_EQ(d.Only<GrantCommit>().epoch, 1u);
  d.Fail(ReduceAttempt(1, 0, 0), Aborted("crashed"));
  for (const std::uint32_t task : {0, 1, 2}) {
    d.Send(CommitRequested{ReduceAttempt(1, task, 1)});
    EXPECT_EQ(d.Only<GrantCommit>().epoch, 2u) << "reduce " << task;
    d.Send(Committed{ReduceAttempt(1, task, 1), 2});
  }
  EXPECT_EQ(d.scheduler().ViewJob(1)->reduces_done, 3u);
}

TEST_F(JoinedReduces, FailTheJobByTheOneThatFails) {
  FinishMaps();
  d.Fail(ReduceAttempt(1, 0, 0), UserCodeError("boom"));  // Nobody's yet.
  d.Commit(ReduceAttempt(1, 0, 1));
  for (std::uint32_t attempt = 1; attempt <= 4; ++attempt)
    d.Fail(ReduceAttempt(1, 1, attempt), UserCodeError("boom"));
  EXPECT_THAT(d.Only<JobEnded>().status.message(), HasSubstr("reduce task 1, attempt 4"));
}

// Whoever it was: each has all its attempts, and the error names the one that fails.
TEST(JoinedReducesThatMayNotFail, AreDissolvedAllTheSame) {
  for (const Status& failure : {UserCodeError("boom"), BadData("a group that is none")}) {
    SchedulerDriver d(SmallPlans());
    d.Join(1, 1).Submit(1, {.maps = 1, .reduces = 12}, {.attempts_max = 1});
    d.Send(Sized(MapAttempt(1, 0, 0), std::vector<std::uint64_t>(12, 10)));
    d.Fail(ReduceAttempt(1, 0, 0), failure);
    EXPECT_THAT(d.All<JobEnded>(), IsEmpty());
    d.Commit(ReduceAttempt(1, 0, 1));
    d.Fail(ReduceAttempt(1, 1, 1), failure);
    EXPECT_THAT(d.Only<JobEnded>().status.message(), HasSubstr("reduce task 1, attempt 1"));
  }
}

TEST_F(JoinedReduces, StayTogetherWhenNobodyIsToBlame) {
  FinishMaps();
  d.Send(AttemptStopped{ReduceAttempt(1, 0, 0)});
  EXPECT_EQ(d.Only<StartReduce>().attempt, ReduceAttempt(1, 0, 1));
  EXPECT_EQ(d.Only<StartReduce>().partitions, 3u);
  d.Send(SegmentLost{ReduceAttempt(1, 0, 1), 0, 0, true});
  EXPECT_EQ(d.Only<StartMap>().attempt, MapAttempt(1, 0, 1));
  d.Done(MapAttempt(1, 0, 1));
  EXPECT_THAT(d.All<CutReduces>(), IsEmpty()) << "the plan is made once";
  EXPECT_EQ(d.Only<StartReduce>().attempt, ReduceAttempt(1, 0, 2));
  EXPECT_EQ(d.Only<StartReduce>().partitions, 3u);
  d.Join(2, 1);
  EXPECT_EQ(d.Only<StartReduce>().attempt, ReduceAttempt(1, 3, 0));
  d.Send(WorkerLost{2, 1});
  d.Commit(ReduceAttempt(1, 0, 2));
  EXPECT_EQ(d.Only<StartReduce>().attempt, ReduceAttempt(1, 3, 1));
  EXPECT_EQ(d.Only<StartReduce>().partitions, 3u);
}

TEST_F(JoinedReduces, ThatTimeOutAreDissolved) {
  SchedulerDriver slow(SmallPlans());
  slow.Join(1, 1).Submit(1, {.maps = 1, .reduces = 12}, {.task_timeout_ms = 100});
  slow.Send(Sized(MapAttempt(1, 0, 0), std::vector<std::uint64_t>(12, 10))).Wait(100);
  EXPECT_EQ(slow.Only<StopAttempt>().attempt, ReduceAttempt(1, 0, 0));
  slow.Send(AttemptStopped{ReduceAttempt(1, 0, 0)});
  EXPECT_EQ(slow.Only<StartReduce>().attempt, ReduceAttempt(1, 0, 1));
  EXPECT_EQ(slow.Only<StartReduce>().partitions, 1u);
}

TEST(JoinedReducesWithBackups, StopTheBackupOfAJoinThatFailed) {
  SchedulerDriver d(SmallPlans());
  d.Join(1, 1).Join(2, 1).Submit(1, {.maps = 1, .reduces = 16},
                                 {.slow_start_fraction = 1, .speculate = true});
  d.Wait(1'000).Send(Sized(MapAttempt(1, 0, 0), std::vector<std::uint64_t>(16, 10)));
  ASSERT_THAT(Started(d), ElementsAre(ReduceAttempt(1, 0, 0), ReduceAttempt(1, 2, 0)));
  d.Wait(100);
  for (const std::uint32_t first : {2, 4, 6, 8, 10, 12, 14}) d.Commit(ReduceAttempt(1, first, 0));
  d.Send(AttemptProgress{ReduceAttempt(1, 0, 0), 0.1}).Wait(100);
  const auto backup = d.Only<StartReduce>();
  ASSERT_EQ(backup.attempt, ReduceAttempt(1, 0, 1));
  EXPECT_EQ(backup.partitions, 2u);
  d.Fail(ReduceAttempt(1, 0, 0), Aborted("crashed"));
  EXPECT_EQ(d.Only<StopAttempt>().attempt, backup.attempt);
  EXPECT_EQ(d.Only<StopAttempt>().reason, StopReason::kPreempted);
  d.Send(AttemptStopped{backup.attempt});
  d.Wait(10'000);
  EXPECT_EQ(d.scheduler().ViewJob(1)->reduces_running, 2u);
  d.Commit(ReduceAttempt(1, 0, 2));
  d.Commit(ReduceAttempt(1, 1, 2));
  EXPECT_EQ(d.Only<CommitJob>().outputs[1].attempt, 2u) << "number 1 is the backup's";
}

TEST(JoinedReducesBesideOthers, LeaveOutWhatStartedEarly) {
  SchedulerDriver d(SmallPlans());
  d.Join(1, 1).Join(2, 1).Submit(1, {.maps = 2, .reduces = 17}, {.slow_start_fraction = 0});
  d.Send(Sized(MapAttempt(1, 0, 0), std::vector<std::uint64_t>(17, 10)));
  ASSERT_EQ(d.Only<StartReduce>().attempt, ReduceAttempt(1, 0, 0));
  d.Send(Sized(MapAttempt(1, 1, 0), std::vector<std::uint64_t>(17, 10)));
  const ReducePlan plan = d.Only<CutReduces>().plan;
  ASSERT_THAT(plan.joins, SizeIs(8));
  EXPECT_EQ(plan.joins.front(), (JoinedPartitions{1, 2}));
  d.Commit(ReduceAttempt(1, 0, 0));
  EXPECT_EQ(d.scheduler().ViewJob(1)->reduces_done, 1u);
}

// --- Split partitions.

/// Four maps and three partitions, of which the second has nearly all. Two slots.
class SplitPartitionTest : public ::testing::Test {
 protected:
  explicit SplitPartitionTest(std::uint32_t slots = 2, JobOptions options = {}) {
    options.slow_start_fraction = 1;
    options.associative = true;
    d.Join(1, slots).Submit(1, {.maps = 4, .reduces = 3}, options);
  }
  void FinishMaps() {
    for (std::uint32_t map = 0; map < 4; ++map)
      d.Send(Sized(MapAttempt(1, map, 0), {10, 1'000, 10}));
  }
  /// Reduces of the others are done, and that of the hot one runs.
  void FinishCombines() {
    FinishMaps();
    d.Done(Combine(0, 0)).Done(Combine(1, 0));
    d.Commit(ReduceAttempt(1, 0, 0));
  }
  JobView view() { return *d.scheduler().ViewJob(1); }

  SchedulerDriver d{SmallPlans()};
};

TEST_F(SplitPartitionTest, IsCombinedInPiecesBeforeItIsReduced) {
  FinishMaps();
  EXPECT_THAT(d.Only<CutReduces>().plan.splits, ElementsAre(SplitPartition{1, 2}));
  EXPECT_THAT(d.Only<CutReduces>().plan.joins, IsEmpty());
  const auto starts = d.All<StartCombine>();
  ASSERT_THAT(starts, SizeIs(2));
  EXPECT_THAT(d.All<StartReduce>(), IsEmpty()) << "combines come first: a reduce waits for them";
  for (std::uint32_t piece = 0; piece < 2; ++piece) {
    EXPECT_EQ(starts[piece].attempt, Combine(piece, 0));
    EXPECT_EQ(starts[piece].worker, 1u);
    EXPECT_EQ(starts[piece].partition, 1u);
    EXPECT_EQ(starts[piece].sources, (SegmentRange{2 * piece, 2}));
    EXPECT_EQ(starts[piece].segment, 4 + piece);
    EXPECT_FALSE(starts[piece].backup);
  }
  const auto told = d.All<SegmentsAvailable>();
  ASSERT_THAT(told, SizeIs(2));
  EXPECT_EQ(told[1].reduce, Combine(1, 0));
  EXPECT_THAT(told[1].segments, SizeIs(4));
  EXPECT_EQ(view().combines_total, 2u);
  EXPECT_EQ(view().combines_running, 2u);

  d.Done(Combine(1, 0));
  EXPECT_EQ(view().combines_done, 1u);
  EXPECT_EQ(d.Only<StartReduce>().attempt, ReduceAttempt(1, 0, 0)) << "the hot one lacks a piece";
  d.Commit(ReduceAttempt(1, 0, 0));
  d.Commit(ReduceAttempt(1, 2, 0));
  EXPECT_THAT(d.All<StartReduce>(), IsEmpty());
  d.Done(Combine(0, 0));
  EXPECT_EQ(d.Only<StartReduce>().attempt, ReduceAttempt(1, 1, 0));
  EXPECT_EQ(d.Only<StartReduce>().sources, (SegmentRange{4, 2}));
  EXPECT_EQ(d.Only<StartReduce>().partitions, 1u);
  EXPECT_THAT(Announced(d), Contains(SegmentRef{4, 0, 1}));
  EXPECT_THAT(Announced(d), Contains(SegmentRef{5, 0, 1}));
  d.Commit(ReduceAttempt(1, 1, 0));
  EXPECT_EQ(d.Only<CommitJob>().outputs.size(), 3u);
}

TEST(HotPartition, IsReducedBeforeSmallOnesOnceItsPiecesAreThere) {
  SchedulerDriver d(SmallPlans());
  d.Join(1, 2).Submit(1, {.maps = 2, .reduces = 4},
                      {.slow_start_fraction = 1, .associative = true});
  for (const std::uint32_t map : {0, 1}) d.Send(Sized(MapAttempt(1, map, 0), {10, 10, 10, 1'000}));
  d.Done(Combine(0, 0));
  ASSERT_EQ(d.Only<StartReduce>().attempt, ReduceAttempt(1, 0, 0));
  d.Done(Combine(1, 0));
  EXPECT_EQ(d.Only<StartReduce>().attempt, ReduceAttempt(1, 3, 0));
}

TEST_F(SplitPartitionTest, LosesAPieceAndWaitsForItAgain) {
  FinishCombines();
  ASSERT_EQ(view().reduces_running, 2u);
  d.Send(SegmentLost{ReduceAttempt(1, 1, 0), 4, 0, false});
  EXPECT_THAT(d.Only<Warning>().text, HasSubstr("the output of combine task 0, attempt 0"));
  EXPECT_EQ(d.Only<DiscardSegment>().segment, (SegmentRef{4, 0, 1}));
  EXPECT_EQ(d.Only<StopAttempt>().attempt, ReduceAttempt(1, 1, 0));
  EXPECT_EQ(d.Only<StopAttempt>().reason, StopReason::kPreempted);
  EXPECT_THAT(d.All<StartMap>(), IsEmpty());
  d.Send(AttemptStopped{ReduceAttempt(1, 1, 0)});
  EXPECT_THAT(Started(d), ElementsAre(Combine(0, 1))) << "and no reduce without its piece";
  EXPECT_EQ(view().combines_done, 1u);
  EXPECT_EQ(d.Only<StartCombine>().sources, (SegmentRange{0, 2}));
  d.Done(Combine(0, 1));
  EXPECT_EQ(d.Only<StartReduce>().attempt, ReduceAttempt(1, 1, 1));
  EXPECT_THAT(Announced(d), Contains(SegmentRef{4, 1, 1}));
  EXPECT_EQ(view().tally.attempts_failed, 0u);
  EXPECT_EQ(view().tally.maps_rerun, 0u);
  d.Commit(ReduceAttempt(1, 1, 1));
  d.Commit(ReduceAttempt(1, 2, 0));
  EXPECT_EQ(d.Only<CommitJob>().outputs[1].attempt, 1u);
}

TEST_F(SplitPartitionTest, IsNotStartedAgainBeforeThePieceThatItsReduceEndedFor) {
  FinishCombines();
  d.Send(SegmentLost{ReduceAttempt(1, 1, 0), 5, 0, true});
  EXPECT_THAT(d.All<StopAttempt>(), IsEmpty());
  EXPECT_THAT(Started(d), ElementsAre(Combine(1, 1)));
  d.Done(Combine(1, 1));
  EXPECT_THAT(Started(d), ElementsAre(ReduceAttempt(1, 1, 1)));
}

TEST_F(SplitPartitionTest, GivesUpAPieceThatIsLostAgainAndAgain) {
  SchedulerDriver e(SmallPlans());
  e.Join(1, 2).Submit(1, {.maps = 4, .reduces = 1},
                      {.slow_start_fraction = 1, .segment_losses_max = 1, .associative = true});
  for (std::uint32_t map = 0; map < 4; ++map) e.Send(Sized(MapAttempt(1, map, 0), {1'000}));
  e.Done(Combine(0, 0)).Done(Combine(1, 0));
  e.Send(SegmentLost{ReduceAttempt(1, 0, 0), 4, 0, true}).Done(Combine(0, 1));
  e.Send(SegmentLost{ReduceAttempt(1, 0, 1), 4, 1, true});
  EXPECT_EQ(e.Only<JobEnded>().status.code(), Code::kDataLoss);
  EXPECT_THAT(e.Only<JobEnded>().status.message(), HasSubstr("combine task 0, attempt 1"));
}

TEST_F(SplitPartitionTest, LetsAReduceCommitThatHasReadALostPiece) {
  FinishCombines();
  d.Send(CommitRequested{ReduceAttempt(1, 1, 0)});
  ASSERT_EQ(d.Only<GrantCommit>().attempt, ReduceAttempt(1, 1, 0));
  d.Send(SegmentLost{ReduceAttempt(1, 2, 0), 4, 0, false});
  EXPECT_THAT(d.All<StopAttempt>(), IsEmpty()) << "it may commit any moment";
  d.Send(Committed{ReduceAttempt(1, 1, 0), 1});
  EXPECT_THAT(Started(d), IsEmpty()) << "nobody needs the piece any more";
  d.Commit(ReduceAttempt(1, 2, 0));
  EXPECT_EQ(d.Only<CommitJob>().outputs.size(), 3u);
}

TEST_F(SplitPartitionTest, StopsCombiningForAReduceThatCommitted) {
  FinishCombines();
  d.Join(2, 1);
  d.Send(CommitRequested{ReduceAttempt(1, 1, 0)});
  d.Send(SegmentLost{ReduceAttempt(1, 2, 0), 4, 0, false});
  ASSERT_EQ(d.Only<StartCombine>().attempt, Combine(0, 1)) << "the commit may still fail";
  d.Send(Committed{ReduceAttempt(1, 1, 0), 1});
  EXPECT_EQ(d.Only<StopAttempt>().attempt, Combine(0, 1));
  EXPECT_EQ(d.Only<StopAttempt>().reason, StopReason::kOtherWon);
  d.Send(AttemptDone{Combine(0, 1), 1, {}, {}});
  EXPECT_EQ(d.Only<DiscardSegment>().segment, (SegmentRef{4, 1, 2})) << "it came too late";
  EXPECT_THAT(Started(d), IsEmpty());
  d.Commit(ReduceAttempt(1, 2, 0));
  EXPECT_EQ(d.Only<CommitJob>().outputs.size(), 3u);
}

TEST_F(SplitPartitionTest, WaitsForItsPieceWhenItsGrantedCommitFails) {
  FinishCombines();
  d.Join(2, 1);
  d.Send(CommitRequested{ReduceAttempt(1, 1, 0)});
  d.Send(SegmentLost{ReduceAttempt(1, 2, 0), 4, 0, false});
  ASSERT_EQ(d.Only<StartCombine>().attempt, Combine(0, 1));
  d.Fail(ReduceAttempt(1, 1, 0), Aborted("the disk is full"));
  EXPECT_THAT(Started(d), IsEmpty());
  d.Done(Combine(0, 1));
  EXPECT_THAT(Started(d), ElementsAre(ReduceAttempt(1, 1, 1)));
}

TEST_F(SplitPartitionTest, DoesNotCombineAgainForAReduceThatCommitted) {
  SchedulerDriver e(SmallPlans());
  e.Join(1, 4).Submit(1, {.maps = 4, .reduces = 3},
                      {.slow_start_fraction = 1, .associative = true});
  for (std::uint32_t map = 0; map < 3; ++map) e.Send(Sized(MapAttempt(1, map, 0), {10, 1'000, 10}));
  e.Join(2, 1);
  e.Send(Sized(MapAttempt(1, 3, 0), {10, 1'000, 10}));
  std::vector<WorkerId> workers;
  for (const StartCombine& start : e.All<StartCombine>()) workers.push_back(start.worker);
  ASSERT_THAT(workers, ::testing::UnorderedElementsAre(1, 2));
  e.Done(Combine(0, 0)).Done(Combine(1, 0));
  e.Commit(ReduceAttempt(1, 1, 0));
  e.Send(WorkerLost{2, 1});
  EXPECT_THAT(e.All<StartCombine>(), IsEmpty());
  EXPECT_EQ(e.scheduler().ViewJob(1)->tally.maps_rerun, 0u) << "only a piece was there";
  EXPECT_EQ(e.scheduler().ViewJob(1)->combines_done, 1u);
  for (const std::uint32_t task : {0, 2})
    for (std::uint32_t attempt = 0; attempt < 2; ++attempt)
      if (e.scheduler().WorkerOf(ReduceAttempt(1, task, attempt)).has_value())
        e.Commit(ReduceAttempt(1, task, attempt));
  EXPECT_EQ(e.Only<CommitJob>().outputs.size(), 3u);
}

TEST_F(SplitPartitionTest, LosesPiecesWithTheirWorkerAndCombinesElsewhere) {
  SchedulerDriver e(SmallPlans());
  e.Join(1, 4).Submit(1, {.maps = 4, .reduces = 1},
                      {.slow_start_fraction = 1, .associative = true});
  for (std::uint32_t map = 0; map < 3; ++map) e.Send(Sized(MapAttempt(1, map, 0), {1'000}));
  e.Join(2, 1);
  e.Send(Sized(MapAttempt(1, 3, 0), {1'000}));
  e.Done(Combine(0, 0)).Done(Combine(1, 0));
  ASSERT_EQ(e.Only<StartReduce>().attempt, ReduceAttempt(1, 0, 0));
  e.Send(WorkerLost{2, 1});
  const auto again = e.Only<StartCombine>();
  EXPECT_EQ(again.attempt.attempt, 1u);
  EXPECT_EQ(again.worker, 1u);
  EXPECT_THAT(e.All<StartReduce>(), IsEmpty());
  e.Send(AttemptStopped{ReduceAttempt(1, 0, 0)});
  EXPECT_THAT(e.All<StartReduce>(), IsEmpty());
  e.Done(again.attempt);
  EXPECT_EQ(e.Only<StartReduce>().attempt, ReduceAttempt(1, 0, 1));
  e.Commit(ReduceAttempt(1, 0, 1));
  EXPECT_EQ(e.Only<CommitJob>().outputs[0].attempt, 1u);
}

TEST_F(SplitPartitionTest, GivesUpACombinesSlotForAMapThatItNeeds) {
  FinishMaps();
  d.Send(SegmentLost{Combine(0, 0), 1, 0, false});
  const auto told = d.All<SegmentInvalidated>();
  ASSERT_THAT(told, SizeIs(2)) << "both combines were told of it";
  EXPECT_EQ(told[0].segment, (SegmentRef{1, 0, 1}));
  const auto stop = d.Only<StopAttempt>();
  EXPECT_EQ(stop.attempt.kind, TaskKind::kCombine);
  EXPECT_EQ(stop.reason, StopReason::kPreempted);
  d.Send(AttemptStopped{stop.attempt});
  EXPECT_EQ(d.Only<StartMap>().attempt, MapAttempt(1, 1, 1));
  EXPECT_THAT(Started(d), IsEmpty());
  d.Send(Sized(MapAttempt(1, 1, 1), {10, 1'000, 10}));
  EXPECT_THAT(d.All<CutReduces>(), IsEmpty());
  EXPECT_THAT(Started(d), ElementsAre(Combine(stop.attempt.task, 1)));
  EXPECT_THAT(d.All<SegmentsAvailable>(), SizeIs(::testing::Ge(2u)))
      << "the other combine hears of the new segment, too";
  EXPECT_EQ(view().tally.maps_rerun, 1u);
  EXPECT_EQ(view().tally.attempts_failed, 0u);
}

TEST_F(SplitPartitionTest, FailsTheJobByItsCombineTask) {
  FinishMaps();
  for (std::uint32_t attempt = 0; attempt < 4; ++attempt)
    d.Fail(Combine(1, attempt), UserCodeError("boom"));
  d.Send(AttemptStopped{Combine(0, 0)});
  for (const std::uint32_t task : {0, 2})
    if (d.scheduler().WorkerOf(ReduceAttempt(1, task, 0)).has_value())
      d.Send(AttemptStopped{ReduceAttempt(1, task, 0)});
  EXPECT_THAT(d.Only<JobEnded>().status.message(), HasSubstr("combine task 1"));
}

TEST_F(SplitPartitionTest, TakesNoCommitOfACombine) {
  FinishMaps();
  EXPECT_TRUE(d.Send(CommitRequested{Combine(0, 0)}).quiet());
  EXPECT_TRUE(d.Send(Committed{Combine(0, 0), 1}).quiet());
  EXPECT_TRUE(d.Send(AttemptDone{Combine(2, 0), 1, {}, {}}).quiet()) << "there is none";
  EXPECT_EQ(view().combines_done, 0u);
}

TEST(HotPartition, IsNotStartedBeforeItsMapsAreDone) {
  for (const bool associative : {false, true}) {
    SchedulerDriver d(SmallPlans());
    d.Join(1, 3).Submit(1, {.maps = 3, .reduces = 3},
                        {.slow_start_fraction = 0, .associative = associative});
    d.Send(Sized(MapAttempt(1, 0, 0), {10, 1'000, 10}));
    EXPECT_EQ(d.Only<StartReduce>().attempt.task, associative ? 0u : 1u);
  }
}

TEST(HotPartition, TakesTheSizeThatTheJobAsksFor) {
  for (const std::uint64_t bytes : {1'000, 5'000}) {
    SchedulerDriver d;  // 64 MiB where the job says nothing.
    d.Join(1, 2).Submit(
        1, {.maps = 8, .reduces = 3},
        {.slow_start_fraction = 1, .associative = true, .split_partition_bytes = bytes});
    for (std::uint32_t map = 0; map < 8; ++map) d.Send(Sized(MapAttempt(1, map, 0), {10, 512, 10}));
    EXPECT_THAT(d.All<CutReduces>(), SizeIs(bytes == 1'000 ? 1 : 0));
  }
}

// --- Workers of a former version.

/// Worker 2, of epoch 1.
WorkerJoined OlderWorker(std::uint32_t slots) {
  WorkerJoined joined{2, 1, slots, "host2", "rack"};
  joined.runs_plans = false;
  return joined;
}

TEST(WorkerWithoutPlans, IsGivenNoRangesOfArchives) {
  for (const bool gang : {false, true}) {
    SchedulerDriver d(SmallPlans());
    d.Send(OlderWorker(2));
    d.Submit(1, {.maps = 2, .reduces = 1}, {.gang = gang, .splits_archives = true});
    EXPECT_THAT(d.All<StartMap>(), IsEmpty());
    d.Join(1, 2);
    EXPECT_THAT(d.All<StartMap>(), SizeIs(2));
    for (const StartMap& start : d.All<StartMap>()) EXPECT_EQ(start.worker, 1u);
  }
}

TEST(WorkerWithoutPlans, KeepsThePlanFromBeingMadeWhileItIsThere) {
  for (const bool lost : {false, true}) {
    SchedulerDriver d(SmallPlans());
    d.Join(1, 2).Send(OlderWorker(1));
    d.Submit(1, {.maps = 4, .reduces = 1}, {.slow_start_fraction = 1, .associative = true});
    for (std::uint32_t map = 0; map < 3; ++map) d.Send(Sized(MapAttempt(1, map, 0), {1'000}));
    if (lost) d.Send(WorkerLost{2, 1});
    std::uint32_t attempt = 0;
    for (std::uint32_t map = 0; map < 4; ++map)
      for (attempt = 0; attempt < 2; ++attempt)
        if (d.scheduler().WorkerOf(MapAttempt(1, map, attempt)).has_value())
          d.Send(Sized(MapAttempt(1, map, attempt), {1'000}));
    ASSERT_EQ(d.scheduler().ViewJob(1)->maps_done, 4u);
    EXPECT_EQ(d.scheduler().ViewJob(1)->combines_total, lost ? 2u : 0u);
    EXPECT_EQ(d.All<StartReduce>().size(), lost ? 0u : 1u);
  }
}

TEST(WorkerWithoutPlans, IsGivenWhatItKnowsOfAJobThatHasOne) {
  SchedulerDriver d(SmallPlans());
  d.Join(1, 1).Submit(1, {.maps = 1, .reduces = 13});
  d.Send(Sized(MapAttempt(1, 0, 0), std::vector<std::uint64_t>(13, 10)));
  ASSERT_THAT(d.Only<CutReduces>().plan.joins, SizeIs(4));
  d.Send(OlderWorker(4));
  EXPECT_THAT(Started(d), ElementsAre(ReduceAttempt(1, 12, 0))) << "the one that is not joined";
  EXPECT_EQ(d.Only<StartReduce>().worker, 2u);
  d.Send(SegmentLost{ReduceAttempt(1, 0, 0), 0, 0, false});
  EXPECT_EQ(d.Only<StartMap>().worker, 2u);
  d.Submit(2, {.maps = 1});
  EXPECT_EQ(d.Only<StartMap>().worker, 2u) << "other jobs are its business";
  d.Join(3, 1);
  d.Done(MapAttempt(1, 0, 1));
  EXPECT_EQ(d.Only<StartReduce>().worker, 3u);
  EXPECT_EQ(d.Only<StartReduce>().partitions, 3u);
}

TEST(WorkerWithoutPlans, ReducesJoinedPartitionsOneByOneWhenNobodyElseIsLeft) {
  SchedulerDriver d(SmallPlans());
  d.Join(1, 1).Submit(1, {.maps = 1, .reduces = 12}, {.slow_start_fraction = 1});
  d.Send(Sized(MapAttempt(1, 0, 0), std::vector<std::uint64_t>(12, 10)));
  d.Commit(ReduceAttempt(1, 0, 0));
  ASSERT_EQ(d.Only<StartReduce>().attempt, ReduceAttempt(1, 3, 0));
  d.Send(OlderWorker(12));
  EXPECT_THAT(Started(d), IsEmpty());
  d.Send(WorkerLost{1, 1});
  EXPECT_TRUE(d.Only<CutReduces>().plan.empty());
  EXPECT_EQ(d.Only<StartMap>().worker, 2u);
  EXPECT_EQ(d.scheduler().ViewJob(1)->joined_partitions, 2u) << "those that are done";
  d.Done(MapAttempt(1, 0, 1));
  const auto starts = d.All<StartReduce>();
  ASSERT_THAT(starts, SizeIs(9));
  for (std::uint32_t i = 0; i < 9; ++i) {
    const std::uint32_t attempt = i < 3 ? 1 : 0;  // Those from 3 to 5 had one together.
    EXPECT_EQ(starts[i].attempt, ReduceAttempt(1, 3 + i, attempt));
    EXPECT_EQ(starts[i].partitions, 1u);
  }
  for (const StartReduce& start : starts) d.Commit(start.attempt);
  EXPECT_EQ(d.Only<CommitJob>().outputs.size(), 12u);
}

TEST(WorkerWithoutPlans, ReducesASplitPartitionWholeWhenNobodyElseIsLeft) {
  SchedulerDriver d(SmallPlans());
  d.Join(1, 2).Submit(1, {.maps = 4, .reduces = 1},
                      {.slow_start_fraction = 1, .associative = true});
  for (std::uint32_t map = 0; map < 4; ++map) d.Send(Sized(MapAttempt(1, map, 0), {1'000}));
  d.Done(Combine(0, 0));
  d.Send(OlderWorker(4));
  EXPECT_THAT(Started(d), IsEmpty());
  d.Send(WorkerLost{1, 1});
  EXPECT_TRUE(d.Only<CutReduces>().plan.empty());
  ASSERT_THAT(d.All<StartMap>(), SizeIs(4));
  for (std::uint32_t map = 0; map < 4; ++map) d.Send(Sized(MapAttempt(1, map, 1), {1'000}));
  EXPECT_THAT(Started(d), ElementsAre(ReduceAttempt(1, 0, 0)));
  EXPECT_EQ(d.Only<StartReduce>().sources, (SegmentRange{0, 4}));
  d.Join(3, 2);
  EXPECT_THAT(Started(d), IsEmpty()) << "nothing is combined any more";
  d.Commit(ReduceAttempt(1, 0, 0));
  EXPECT_EQ(d.Only<CommitJob>().outputs.size(), 1u);
}

TEST(WorkerWithoutPlans, RunsEachPartitionByItselfWhenTheOthersAreToLeave) {
  SchedulerDriver d(SmallPlans());
  d.Join(1, 1).Submit(1, {.maps = 1, .reduces = 12});
  d.Send(Sized(MapAttempt(1, 0, 0), std::vector<std::uint64_t>(12, 10)));
  d.Send(OlderWorker(4));
  d.Send(DrainWorker{1, 1});
  EXPECT_TRUE(d.Only<CutReduces>().plan.empty());
  for (const StartReduce& start : d.All<StartReduce>()) {
    EXPECT_EQ(start.worker, 2u);
    EXPECT_EQ(start.partitions, 1u);
  }
  EXPECT_EQ(d.All<StartReduce>().size(), 4u);
}

}  // namespace
}  // namespace spillway
