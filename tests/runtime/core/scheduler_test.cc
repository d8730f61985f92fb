#include "runtime/core/scheduler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "tests/runtime/core/scheduler_driver.h"

namespace spillway {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// --- The plain course of a job.

TEST(Scheduler, RunsMapsThenReducesThenCommitsTheJob) {
  SchedulerDriver d;
  d.Join(1, 2).Submit(7, {.maps = 3, .reduces = 1});
  EXPECT_THAT(d.All<StartMap>(), SizeIs(2));
  d.Done(MapAttempt(7, 0, 0));
  EXPECT_EQ(d.Only<StartMap>().attempt, MapAttempt(7, 2, 0));
  d.Done(MapAttempt(7, 1, 0));
  d.Done(MapAttempt(7, 2, 0));
  d.Commit(ReduceAttempt(7, 0, 0));
  const auto commit = d.Only<CommitJob>();
  ASSERT_EQ(commit.outputs.size(), 1u);
  EXPECT_EQ(commit.outputs[0].attempt, 0u);
  EXPECT_THAT(d.All<JobEnded>(), IsEmpty());
  d.Send(JobCommitted{7, OkStatus()});
  EXPECT_THAT(d.All<DiscardSegment>(), IsEmpty()) << "the end says it for all";
  EXPECT_TRUE(d.Only<JobEnded>().status.ok());
  EXPECT_EQ(d.Only<JobEnded>().tally.attempts_started, 4u);
  EXPECT_FALSE(d.scheduler().ViewJob(7).has_value());
  EXPECT_EQ(d.scheduler().ViewCluster().slots_taken, 0u);
}

TEST(Scheduler, CommitsTheMapsOfAJobWithoutReduces) {
  SchedulerDriver d;
  d.Join(1, 2).Submit(1, {.maps = 2, .reduces = 0});
  d.Commit(MapAttempt(1, 1, 0));
  EXPECT_THAT(d.All<CommitJob>(), IsEmpty());
  d.Commit(MapAttempt(1, 0, 0));
  EXPECT_EQ(d.Only<CommitJob>().outputs.size(), 2u);
}

TEST(Scheduler, RunsTheReducesOfAJobWithoutInput) {
  SchedulerDriver d;
  d.Join(1, 2).Submit(1, {.maps = 0, .reduces = 1});
  EXPECT_EQ(d.Only<StartReduce>().sources.count, 0u);
  d.Commit(ReduceAttempt(1, 0, 0));
  EXPECT_EQ(d.Only<CommitJob>().job, 1u);
}

TEST(Scheduler, PublishesAJobWithoutTasksAtOnce) {
  SchedulerDriver d;
  d.Submit(1, {.maps = 0, .reduces = 0});
  EXPECT_THAT(d.Only<CommitJob>().outputs, IsEmpty());
  d.Send(JobCommitted{1, PermissionDenied("out: read-only")});
  EXPECT_EQ(d.Only<JobEnded>().status.code(), Code::kPermissionDenied);
}

TEST(Scheduler, GivesMapsToTheWorkerThatHasTheirInput) {
  SchedulerDriver d;
  SubmitJob job{1, {{1, {"host2"}}, {1, {"host3", "rackB"}}, {1, {"host1"}}}, 0, {}};
  d.Send(job);
  d.Join(1, 1);
  EXPECT_EQ(d.Only<StartMap>().attempt.task, 2u);
  d.Send(WorkerJoined{4, 1, 1, "host4", "rackB"});
  EXPECT_EQ(d.Only<StartMap>().attempt.task, 1u);
  d.Send(WorkerJoined{5, 1, 1, "host5", "rackC"});
  EXPECT_EQ(d.Only<StartMap>().attempt.task, 0u) << "nobody waits for the best place";
}

TEST(Scheduler, SpreadsTasksOverWorkers) {
  SchedulerDriver d;
  for (WorkerId w = 0; w < 3; ++w) d.Join(w, 4);
  d.Submit(1, {.maps = 3});
  std::vector<WorkerId> workers;
  for (const StartMap& start : d.All<StartMap>()) workers.push_back(start.worker);
  EXPECT_THAT(workers, ElementsAre(0, 1, 2));
}

// --- Early reduces and segments.

TEST(Scheduler, StartsReducesEarlyOnIdleSlotsOnlyAfterTheSlowStart) {
  SchedulerDriver d;
  d.Join(1, 3).Submit(1, {.maps = 4, .reduces = 3}, {.slow_start_fraction = 0.5});
  EXPECT_THAT(d.All<StartReduce>(), IsEmpty());
  d.Done(MapAttempt(1, 0, 0));
  EXPECT_THAT(d.All<StartReduce>(), IsEmpty());
  d.Done(MapAttempt(1, 1, 0));
  EXPECT_EQ(d.Only<StartReduce>().attempt, ReduceAttempt(1, 0, 0));
  EXPECT_THAT(d.Only<SegmentsAvailable>().segments,
              ElementsAre(SegmentRef{0, 0, 1}, SegmentRef{1, 0, 1}));
}

TEST(Scheduler, StartsReducesOfLargePartitionsFirst) {
  const auto starts = [](const SchedulerDriver& d) {
    std::vector<std::uint32_t> tasks;
    for (const StartReduce& start : d.All<StartReduce>()) tasks.push_back(start.attempt.task);
    return tasks;
  };
  const auto sized = [](std::uint32_t map, std::string sizes) {
    return AttemptDone{MapAttempt(1, map, 0), 1, {}, {}, std::move(sizes)};
  };
  SchedulerDriver d;
  d.Join(1, 2).Submit(1, {.maps = 2, .reduces = 5}, {.slow_start_fraction = 1});
  d.Send(sized(0, {10, 10, 10, 10, 30}));
  EXPECT_THAT(starts(d), IsEmpty());
  d.Send(sized(1, {10, 10, 40, 10, 30}));
  EXPECT_THAT(starts(d), ElementsAre(2, 4));
  d.Commit(ReduceAttempt(1, 4, 0));
  EXPECT_THAT(starts(d), ElementsAre(0));
  // It was large and ran already: its next attempt takes its turn.
  d.Fail(ReduceAttempt(1, 2, 0), Aborted("again"));
  d.Commit(ReduceAttempt(1, 0, 0));
  EXPECT_THAT(starts(d), SizeIs(1));
}

TEST(Scheduler, AReduceThatWaitsForTheLastMapsIsALargeOne) {
  SchedulerDriver d;
  d.Join(1, 3).Submit(1, {.maps = 3, .reduces = 3}, {.slow_start_fraction = 0});
  d.Send(AttemptDone{MapAttempt(1, 0, 0), 1, {}, {}, {10, 10, 40}});
  EXPECT_EQ(d.Only<StartReduce>().attempt.task, 2u);
}

TEST(Scheduler, NeverStartsReducesEarlyWithSlowStartOne) {
  SchedulerDriver d;
  d.Join(1, 4).Submit(1, {.maps = 2, .reduces = 2}, {.slow_start_fraction = 1});
  d.Done(MapAttempt(1, 0, 0));
  EXPECT_THAT(d.All<StartReduce>(), IsEmpty());
  d.Done(MapAttempt(1, 1, 0));
  EXPECT_THAT(d.All<StartReduce>(), SizeIs(2));
}

TEST(Scheduler, AnnouncesSegmentsInBatchesAndAtTicksAndAllAtTheEnd) {
  SchedulerOptions options;
  options.segment_batch = 3;
  SchedulerDriver d(options);
  d.Join(1, 10).Submit(1, {.maps = 7, .reduces = 1}, {.slow_start_fraction = 0});
  d.Done(MapAttempt(1, 0, 0));  // Starts the reduce, which hears of it at once.
  EXPECT_EQ(d.Only<SegmentsAvailable>().segments.size(), 1u);
  d.Done(MapAttempt(1, 1, 0));
  EXPECT_TRUE(d.quiet());
  d.Done(MapAttempt(1, 2, 0));
  EXPECT_EQ(d.Only<SegmentsAvailable>().segments.size(), 2u);
  d.Done(MapAttempt(1, 3, 0));
  EXPECT_LE(*d.scheduler().next_tick_ms(), d.now() + options.tick_ms);
  d.Wait(options.tick_ms);
  EXPECT_EQ(d.Only<SegmentsAvailable>().segments.size(), 1u);
  d.Done(MapAttempt(1, 4, 0)).Done(MapAttempt(1, 5, 0)).Done(MapAttempt(1, 6, 0));
  EXPECT_EQ(d.Only<SegmentsAvailable>().segments.size(), 3u);
}

TEST(Scheduler, PreemptsWaitingReducesWhenAMapNeedsASlot) {
  SchedulerDriver d;
  d.Join(1, 2).Submit(1, {.maps = 1, .reduces = 2});
  d.Done(MapAttempt(1, 0, 0));
  ASSERT_THAT(d.All<StartReduce>(), SizeIs(2));
  d.Send(SegmentLost{ReduceAttempt(1, 1, 0), 0, 0, false});
  EXPECT_THAT(d.All<SegmentInvalidated>(), SizeIs(2));
  EXPECT_THAT(d.All<StartMap>(), IsEmpty());
  const auto stop = d.Only<StopAttempt>();
  EXPECT_EQ(stop.reason, StopReason::kPreempted);
  d.Send(Heartbeat{1, 1});
  EXPECT_TRUE(d.quiet()) << "one map needs one slot, and it is on its way";
  d.Send(AttemptStopped{stop.attempt});
  EXPECT_EQ(d.Only<StartMap>().attempt, MapAttempt(1, 0, 1));
  d.Done(MapAttempt(1, 0, 1));
  EXPECT_EQ(d.Only<StartReduce>().attempt.attempt, 1u);
  EXPECT_THAT(d.All<SegmentsAvailable>(), SizeIs(2));
  EXPECT_EQ(d.scheduler().ViewJob(1)->tally.attempts_failed, 0u);
}

TEST(Scheduler, BelievesAReduceThatIsBeingStoppedWhatItCannotRead) {
  SchedulerDriver d;
  d.Join(1, 1).Submit(1, {.maps = 2, .reduces = 1});
  d.Done(MapAttempt(1, 0, 0)).Done(MapAttempt(1, 1, 0));
  d.Send(SegmentLost{ReduceAttempt(1, 0, 0), 0, 0, false});
  EXPECT_EQ(d.Only<StopAttempt>().attempt, ReduceAttempt(1, 0, 0));
  d.Send(SegmentLost{ReduceAttempt(1, 0, 0), 1, 0, false});
  EXPECT_EQ(d.Only<DiscardSegment>().segment, (SegmentRef{1, 0, 1}));
  d.Send(AttemptStopped{ReduceAttempt(1, 0, 0)}).Done(MapAttempt(1, 0, 1));
  EXPECT_EQ(d.Only<StartMap>().attempt, MapAttempt(1, 1, 1)) << "before the reduce finds out again";
  EXPECT_EQ(d.scheduler().ViewJob(1)->tally.maps_rerun, 2u);
}

TEST(Scheduler, DoesNotPreemptAReduceThatMayCommit) {
  SchedulerDriver d;
  d.Join(1, 2).Submit(1, {.maps = 1, .reduces = 2});
  d.Done(MapAttempt(1, 0, 0));
  d.Send(CommitRequested{ReduceAttempt(1, 0, 0)});
  d.Send(SegmentLost{ReduceAttempt(1, 1, 0), 0, 0, false});
  EXPECT_EQ(d.Only<StopAttempt>().attempt, ReduceAttempt(1, 1, 0));
}

TEST(Scheduler, RunsTheMapAgainWhenAReduceCannotReadItsSegment) {
  SchedulerDriver d;
  d.Join(1, 4).Submit(1, {.maps = 2, .reduces = 1});
  d.Done(MapAttempt(1, 0, 0)).Done(MapAttempt(1, 1, 0));
  d.Send(SegmentLost{ReduceAttempt(1, 0, 0), 1, 0, true});
  EXPECT_EQ(d.Only<DiscardSegment>().segment, (SegmentRef{1, 0, 1}));
  EXPECT_THAT(d.All<SegmentInvalidated>(), IsEmpty()) << "the attempt that would hear of it ended";
  EXPECT_EQ(d.Only<StartMap>().attempt, MapAttempt(1, 1, 1));
  EXPECT_EQ(d.Only<StartReduce>().attempt, ReduceAttempt(1, 0, 1)) << "early, on an idle slot";
  EXPECT_THAT(d.Only<SegmentsAvailable>().segments, ElementsAre(SegmentRef{0, 0, 1}));
  d.Send(SegmentLost{ReduceAttempt(1, 0, 0), 1, 0, true});
  EXPECT_TRUE(d.quiet()) << "said twice";
  d.Done(MapAttempt(1, 1, 1));
  EXPECT_THAT(d.Only<SegmentsAvailable>().segments, ElementsAre(SegmentRef{1, 1, 1}));
  EXPECT_EQ(d.scheduler().ViewJob(1)->tally.maps_rerun, 1u);
  EXPECT_EQ(d.scheduler().ViewJob(1)->tally.attempts_failed, 0u);
}

TEST(Scheduler, IgnoresTheLossOfASegmentThatWasReplacedMeanwhile) {
  SchedulerDriver d;
  d.Join(1, 3).Submit(1, {.maps = 1, .reduces = 2});
  d.Done(MapAttempt(1, 0, 0));
  d.Send(SegmentLost{ReduceAttempt(1, 0, 0), 0, 0, false}).Done(MapAttempt(1, 0, 1));
  EXPECT_TRUE(d.Send(SegmentLost{ReduceAttempt(1, 1, 0), 0, 0, false}).quiet());
  EXPECT_TRUE(d.Send(SegmentLost{ReduceAttempt(1, 1, 0), 5, 0, false}).quiet());
  EXPECT_TRUE(d.scheduler().ViewJob(1)->maps_done == 1);
}

TEST(Scheduler, GivesUpWhenOneSegmentIsLostAgainAndAgain) {
  SchedulerDriver d;
  d.Join(1, 1).Submit(1, {.maps = 1, .reduces = 1}, {.segment_losses_max = 2});
  for (std::uint32_t n = 0; n < 3; ++n) {
    d.Done(MapAttempt(1, 0, n));
    d.Send(SegmentLost{ReduceAttempt(1, 0, n), 0, n, true});
  }
  EXPECT_EQ(d.Only<JobEnded>().status.code(), Code::kDataLoss);
  EXPECT_THAT(d.Only<JobEnded>().status.message(), HasSubstr("map task 0, attempt 2"));
}

// --- Failures.

TEST(Scheduler, RetriesOnAnotherWorkerUntilAttemptsMaxThenFailsTheJob) {
  SchedulerDriver d;
  d.Join(1, 1).Join(2, 1).Submit(1, {.maps = 1}, {.attempts_max = 3});
  EXPECT_EQ(d.Only<StartMap>().worker, 1u);
  d.Fail(MapAttempt(1, 0, 0), Aborted("crashed"));
  EXPECT_EQ(d.Only<StartMap>().worker, 2u);
  d.Fail(MapAttempt(1, 0, 1), Aborted("crashed"));
  EXPECT_THAT(d.All<StartMap>(), SizeIs(1)) << "it failed everywhere, so anywhere is good";
  d.Fail(MapAttempt(1, 0, 2), Aborted("crashed by signal 11"));
  const Status status = d.Only<JobEnded>().status;
  EXPECT_EQ(status.code(), Code::kAborted);
  EXPECT_THAT(status.message(), HasSubstr("map task 0, attempt 2"));
  EXPECT_THAT(status.message(), HasSubstr("crashed by signal 11"));
}

TEST(Scheduler, KeepsAwayFromTheWorkerItFailedOnOnlyForAWhile) {
  SchedulerOptions options;
  options.avoid_ms = 100;
  SchedulerDriver d(options);
  d.Join(1, 1).Join(2, 1).Submit(1, {.maps = 2});
  d.Fail(MapAttempt(1, 0, 0), Aborted("crashed"));
  EXPECT_TRUE(d.quiet()) << "worker 2 is busy, but it is there";
  ASSERT_TRUE(d.scheduler().next_tick_ms().has_value());
  EXPECT_LE(*d.scheduler().next_tick_ms(), d.now() + 100);
  d.Wait(100);
  EXPECT_EQ(d.Only<StartMap>().worker, 1u);
}

TEST(Scheduler, FailsTheJobAtOnceWhereAnotherTryCannotHelp) {
  for (const Code code :
       {Code::kInvalidArgument, Code::kBadData, Code::kNotFound, Code::kPermissionDenied}) {
    SchedulerDriver d;
    d.Join(1, 1).Submit(1, {.maps = 2});
    d.Fail(MapAttempt(1, 0, 0), Status(code, "no"));
    EXPECT_EQ(d.Only<JobEnded>().status.code(), code);
  }
}

TEST(Scheduler, TriesAnotherWorkersDisksWhenOneIsFull) {
  SchedulerDriver d;
  d.Join(1, 1).Join(2, 1).Submit(1, {.maps = 1});
  d.Fail(MapAttempt(1, 0, 0), ResourceExhausted("disk full"));
  EXPECT_EQ(d.Only<StartMap>().worker, 2u);
  d.Fail(MapAttempt(1, 0, 1), ResourceExhausted("disk full"));
  EXPECT_EQ(d.Only<JobEnded>().status.code(), Code::kResourceExhausted);
}

TEST(Scheduler, TriesAWorkersOtherDisksOnce) {
  SchedulerDriver d;
  d.Join(1, 1).Submit(1, {.maps = 1});
  d.Fail(MapAttempt(1, 0, 0), ResourceExhausted("disk full"));
  d.Wait(10'000);
  d.Fail(MapAttempt(1, 0, 1), ResourceExhausted("disk full"));
  EXPECT_EQ(d.Only<JobEnded>().status.code(), Code::kResourceExhausted);
}

TEST(Scheduler, SkipsARecordThatIsBadDataWithinTheQuota) {
  SchedulerDriver d;
  d.Join(1, 1).Submit(1, {.maps = 1}, {.skip_bad_max = 1});
  d.FailOn(MapAttempt(1, 0, 0), {0, 7}, BadData("no number"));
  const StartMap again = d.Only<StartMap>();
  EXPECT_EQ(std::vector(again.skips.begin(), again.skips.end()), std::vector({RecordPlace{0, 7}}));
  d.FailOn(MapAttempt(1, 0, 1), {0, 9}, BadData("no number"));
  EXPECT_EQ(d.Only<JobEnded>().status.code(), Code::kBadData);
}

TEST(Scheduler, FailsTheJobAfterTheSameRecordFailedTheSameWayTwice) {
  SchedulerDriver d;
  d.Join(1, 1).Submit(1, {.maps = 1});
  d.FailOn(MapAttempt(1, 0, 0), {0, 4711}, "what(): stoi");
  EXPECT_THAT(d.All<StartMap>(), SizeIs(1));
  d.FailOn(MapAttempt(1, 0, 1), {0, 4711}, "what(): stoi");
  const std::string message = d.Only<JobEnded>().status.message();
  for (const char* part : {"what(): stoi", "in/part:4711", "map task 0, attempt 1", "--skip-bad"})
    EXPECT_THAT(message, HasSubstr(part));
}

TEST(Scheduler, RetriesUserCodeThatFailsInDifferentPlaces) {
  SchedulerDriver d;
  d.Join(1, 1).Submit(1, {.maps = 1}, {.attempts_max = 4});
  for (std::uint32_t n = 0; n < 3; ++n) {
    d.FailOn(MapAttempt(1, 0, n), {0, n}, "odd");
    EXPECT_THAT(d.All<StartMap>(), SizeIs(1));
  }
  d.FailOn(MapAttempt(1, 0, 3), {0, 3}, "odd");
  EXPECT_EQ(d.Only<JobEnded>().status.code(), Code::kUserCode);
}

TEST(Scheduler, SkipsARecordThatFailsTwiceWithinTheJobsQuota) {
  SchedulerDriver d;
  d.Join(1, 1).Submit(1, {.maps = 1}, {.attempts_max = 2, .skip_bad_max = 2});
  std::uint32_t n = 0;
  for (const std::uint64_t offset : {90u, 10u}) {
    d.FailOn(MapAttempt(1, 0, n++), {0, offset}, "first");
    d.FailOn(MapAttempt(1, 0, n++), {0, offset}, "second, other words");
    EXPECT_EQ(d.Only<Warning>().kind, WarningKind::kRecordSkipped);
    EXPECT_THAT(d.Only<Warning>().text, HasSubstr("in/part:" + std::to_string(offset)));
  }
  EXPECT_THAT(d.Only<StartMap>().skips, ElementsAre(RecordPlace{0, 10}, RecordPlace{0, 90}));
  d.FailOn(MapAttempt(1, 0, n++), {0, 50}, "third record");
  d.FailOn(MapAttempt(1, 0, n++), {0, 50}, "third record");
  const auto ended = d.Only<JobEnded>();
  EXPECT_THAT(ended.status.message(), HasSubstr("all of the 2"));
  EXPECT_EQ(ended.tally.records_skipped, 2u);
}

TEST(Scheduler, StopsEverythingBeforeAFailedJobEnds) {
  SchedulerDriver d;
  d.Join(1, 3).Submit(1, {.maps = 3, .reduces = 1});
  d.Done(MapAttempt(1, 0, 0));
  ASSERT_THAT(d.All<StartReduce>(), SizeIs(1));
  d.Fail(MapAttempt(1, 1, 0), BadData("line 3"));
  EXPECT_THAT(d.All<StopAttempt>(), SizeIs(2));
  EXPECT_THAT(d.All<JobEnded>(), IsEmpty());
  d.Send(AttemptStopped{ReduceAttempt(1, 0, 0)});
  EXPECT_TRUE(d.quiet());
  d.Done(MapAttempt(1, 2, 0));  // It raced with its stop.
  EXPECT_THAT(d.All<JobEnded>(), SizeIs(1));
  EXPECT_TRUE(std::holds_alternative<JobEnded>(d.actions().back()));
}

TEST(Scheduler, DoesNotCountAFailureThatRacedWithAStop) {
  SchedulerDriver d;
  d.Join(1, 2).Submit(1, {.maps = 1}, {.attempts_max = 2, .task_timeout_ms = 100});
  d.Wait(100);
  ASSERT_EQ(d.Only<StopAttempt>().attempt, MapAttempt(1, 0, 0));
  EXPECT_TRUE(d.Fail(MapAttempt(1, 0, 0), BadData("half a record")).quiet());
  EXPECT_EQ(d.scheduler().ViewJob(1)->tally.attempts_failed, 1u) << "the time-out";
}

TEST(Scheduler, CancelsAJobUntilItIsBeingPublished) {
  SchedulerDriver d;
  d.Join(1, 1).Submit(1, {.maps = 1}).Send(CancelJob{1, "by the user"});
  EXPECT_EQ(d.Only<StopAttempt>().reason, StopReason::kJobEnding);
  d.Send(AttemptStopped{MapAttempt(1, 0, 0)});
  EXPECT_EQ(d.Only<JobEnded>().status.code(), Code::kCancelled);
  EXPECT_THAT(d.Only<JobEnded>().status.message(), HasSubstr("by the user"));

  d.Submit(2, {.maps = 1, .reduces = 0}).Commit(MapAttempt(2, 0, 0));
  d.Send(CancelJob{2, "too late"});
  EXPECT_TRUE(d.quiet());
  d.Send(JobCommitted{2, OkStatus()});
  EXPECT_TRUE(d.Only<JobEnded>().status.ok());
}

// --- Time.

TEST(Scheduler, StopsAndRetriesAnAttemptWithoutProgress) {
  SchedulerDriver d;
  d.Join(1, 2).Submit(1, {.maps = 1}, {.attempts_max = 2, .task_timeout_ms = 100});
  d.Wait(60).Send(AttemptProgress{MapAttempt(1, 0, 0), 0.5});
  d.Wait(60);
  EXPECT_THAT(d.All<StopAttempt>(), IsEmpty());
  EXPECT_EQ(*d.scheduler().next_tick_ms(), d.now() + 40);
  d.Wait(40);
  EXPECT_EQ(d.Only<StopAttempt>().reason, StopReason::kTimeout);
  EXPECT_EQ(d.Only<StartMap>().attempt, MapAttempt(1, 0, 1));
  d.Wait(100);
  d.Send(AttemptStopped{MapAttempt(1, 0, 0)}).Send(AttemptStopped{MapAttempt(1, 0, 1)});
  EXPECT_THAT(d.Only<JobEnded>().status.message(), HasSubstr("no progress for 100 ms"));
}

TEST(Scheduler, DoesNotTimeOutAReduceThatWaitsForMaps) {
  SchedulerDriver d;
  d.Join(1, 2).Submit(1, {.maps = 2, .reduces = 1}, {.task_timeout_ms = 100});
  d.Done(MapAttempt(1, 0, 0));
  for (int i = 0; i < 5; ++i) {
    d.Send(AttemptProgress{MapAttempt(1, 1, 0), 0}).Wait(90);
    EXPECT_THAT(d.All<StopAttempt>(), IsEmpty());
  }
  d.Done(MapAttempt(1, 1, 0)).Wait(99);
  EXPECT_THAT(d.All<StopAttempt>(), IsEmpty()) << "its time begins with the last segment";
  d.Wait(1);
  EXPECT_EQ(d.Only<StopAttempt>().attempt, ReduceAttempt(1, 0, 0));
}

TEST(Scheduler, AbandonsAnAttemptThatDoesNotStopAndKeepsItsSlotTaken) {
  SchedulerDriver d(SchedulerOptions{.stop_timeout_ms = 50});
  d.Join(1, 2).Submit(1, {.maps = 1}).Send(CancelJob{1, "enough"});
  d.Wait(50);
  EXPECT_EQ(d.Only<Warning>().kind, WarningKind::kAttemptAbandoned);
  EXPECT_THAT(d.All<JobEnded>(), SizeIs(1));
  EXPECT_EQ(d.scheduler().ViewCluster().slots_abandoned, 1u);
  d.Submit(2, {.maps = 2});
  EXPECT_THAT(d.All<StartMap>(), SizeIs(1));
  d.Done(MapAttempt(1, 0, 0));  // After all.
  EXPECT_THAT(d.All<DiscardSegment>(), SizeIs(1));
  EXPECT_THAT(d.All<StartMap>(), SizeIs(1));
  EXPECT_EQ(d.scheduler().ViewCluster().slots_abandoned, 0u);
}

// --- Workers.

TEST(Scheduler, ExpiresAWorkerWithoutHeartbeatAndRunsItsWorkElsewhere) {
  SchedulerDriver d(SchedulerOptions{.lease_ms = 100});
  d.Join(1, 2).Submit(1, {.maps = 2, .reduces = 1}, {.slow_start_fraction = 1});
  d.Done(MapAttempt(1, 0, 0));
  EXPECT_EQ(*d.scheduler().next_tick_ms(), d.now() + 100);
  d.Wait(40).Send(Heartbeat{1, 1}).Wait(60);
  EXPECT_TRUE(d.quiet());
  EXPECT_EQ(*d.scheduler().next_tick_ms(), d.now() + 40);
  d.Join(2, 4).Wait(40);
  EXPECT_EQ(d.Only<WorkerExpired>().worker, 1u);
  EXPECT_THAT(d.All<StartMap>(), SizeIs(2)) << "the running map, and the one whose segment is gone";
  EXPECT_THAT(d.All<DiscardSegment>(), IsEmpty()) << "nobody is there to do it";
  EXPECT_FALSE(d.scheduler().HasWorker(1, 1));
  d.Done(MapAttempt(1, 1, 0));
  EXPECT_TRUE(d.quiet()) << "from the dead";
  d.Send(Heartbeat{1, 1});
  EXPECT_TRUE(d.quiet());
  EXPECT_EQ(d.scheduler().ViewJob(1)->tally.attempts_failed, 0u);
}

TEST(Scheduler, TreatsANewEpochAsTheEndOfTheOld) {
  SchedulerDriver d;
  d.Join(1, 1, 5).Submit(1, {.maps = 1});
  d.Join(1, 1, 5);
  EXPECT_TRUE(d.quiet()) << "said twice";
  d.Join(1, 1, 4);
  EXPECT_TRUE(d.quiet()) << "old";
  d.Join(1, 1, 6);
  EXPECT_EQ(d.Only<WorkerExpired>().epoch, 5u);
  EXPECT_EQ(d.Only<StartMap>().attempt, MapAttempt(1, 0, 1));
  d.Send(WorkerLost{1, 5});
  EXPECT_TRUE(d.quiet());
}

TEST(Scheduler, DrainsAWorkerOnceItsSegmentsAreNotNeeded) {
  SchedulerDriver d;
  d.Join(1, 1).Submit(1, {.maps = 1, .reduces = 1}).Join(2, 1).Send(DrainWorker{1, 1});
  d.Done(MapAttempt(1, 0, 0));
  EXPECT_EQ(d.Only<StartReduce>().worker, 2u);
  EXPECT_THAT(d.All<WorkerDrained>(), IsEmpty());
  d.Commit(ReduceAttempt(1, 0, 0)).Send(JobCommitted{1, OkStatus()});
  EXPECT_EQ(d.Only<WorkerDrained>().worker, 1u);
}

TEST(Scheduler, SetsAsideAWorkerThatFailsManyTasks) {
  SchedulerDriver d(SchedulerOptions{.avoid_ms = 1, .worker_failures_max = 2, .set_aside_ms = 500});
  d.Join(1, 2).Join(2, 1).Submit(1, {.maps = 20});
  for (const std::uint32_t task : {0u, 2u}) d.Fail(MapAttempt(1, task, 0), Unavailable("no disk"));
  EXPECT_EQ(d.Only<Warning>().kind, WarningKind::kWorkerSetAside);
  d.Wait(10);
  EXPECT_THAT(d.All<StartMap>(), IsEmpty());
  d.Wait(490);
  EXPECT_FALSE(d.All<StartMap>().empty());
}

TEST(Scheduler, CountsTheTimeAsideOfANewProcessAnew) {
  SchedulerDriver d(SchedulerOptions{.avoid_ms = 1, .worker_failures_max = 1, .set_aside_ms = 500});
  d.Join(2, 1).Submit(1, {.maps = 20}).Join(1, 1);
  d.Fail(d.Only<StartMap>().attempt, Unavailable("no disk"));
  d.Wait(100).Join(1, 1, 2);
  d.Fail(d.Only<StartMap>().attempt, Unavailable("no disk"));
  EXPECT_TRUE(d.Wait(400).quiet()) << "the time of its predecessor";
  d.Wait(100);
  EXPECT_EQ(d.Only<StartMap>().worker, 1u);
}

TEST(Scheduler, NeverSetsAsideTheLastWorker) {
  SchedulerDriver d(SchedulerOptions{.worker_failures_max = 1});
  d.Join(1, 1).Submit(1, {.maps = 1});
  d.Fail(MapAttempt(1, 0, 0), Unavailable("no disk"));
  EXPECT_THAT(d.All<StartMap>(), SizeIs(1));
}

// --- Commit.

TEST(Scheduler, GrantsACommitToOneAttemptPerEpoch) {
  SchedulerDriver d;
  d.Join(1, 1).Submit(1, {.maps = 0, .reduces = 1}).Join(2, 1);
  const AttemptId first = ReduceAttempt(1, 0, 0), second = ReduceAttempt(1, 0, 1);
  d.Send(CommitRequested{first});
  EXPECT_EQ(d.Only<GrantCommit>().epoch, 1u);
  d.Send(CommitRequested{first});
  EXPECT_EQ(d.Only<GrantCommit>().epoch, 1u) << "asked twice, granted once";
  d.Send(WorkerLost{1, 1});
  EXPECT_EQ(d.Only<StartReduce>().attempt, second);
  d.Send(CommitRequested{second});
  EXPECT_EQ(d.Only<GrantCommit>().epoch, 2u);
  d.Send(Committed{first, 1}).Send(Committed{second, 1});
  EXPECT_TRUE(d.quiet()) << "from the dead, and of a grant that is no more";
  d.Send(Committed{second, 2});
  const auto outputs = d.Only<CommitJob>().outputs;
  EXPECT_EQ(outputs[0].attempt, 1u);
  EXPECT_EQ(outputs[0].epoch, 2u);
  d.Send(Committed{second, 2});
  EXPECT_TRUE(d.quiet());
}

TEST(Scheduler, IgnoresACommitThatNobodyGranted) {
  SchedulerDriver d;
  d.Join(1, 1).Submit(1, {.maps = 0, .reduces = 1});
  d.Send(Committed{ReduceAttempt(1, 0, 0), 0});
  EXPECT_TRUE(d.quiet());
  EXPECT_EQ(d.scheduler().ViewJob(1)->reduces_done, 0u);
}

TEST(Scheduler, NamesATaskWhoseTwoAttemptsWroteDifferentBytes) {
  SchedulerDriver d;
  d.Join(1, 1).Submit(1, {.maps = 1, .reduces = 1});
  d.Done(MapAttempt(1, 0, 0), {1, 2});
  d.Send(SegmentLost{ReduceAttempt(1, 0, 0), 0, 0, true});
  d.Done(MapAttempt(1, 0, 1), {1, 2});
  EXPECT_THAT(d.All<Warning>(), IsEmpty());
  d.Send(SegmentLost{ReduceAttempt(1, 0, 1), 0, 1, true});
  d.Done(MapAttempt(1, 0, 2), {2, 1});
  EXPECT_EQ(d.Only<Warning>().kind, WarningKind::kNonDeterministic);
  EXPECT_THAT(d.Only<Warning>().text, HasSubstr("map task 0, attempt 2"));
  EXPECT_THAT(d.Only<Warning>().text, HasSubstr("than its attempt 0"));
  d.Send(SegmentLost{ReduceAttempt(1, 0, 2), 0, 2, true});
  d.Done(MapAttempt(1, 0, 3), {1, 2});
  EXPECT_THAT(d.All<Warning>(), IsEmpty()) << "as the first";
}

// --- Speculation.

TEST(Scheduler, BacksUpASlowMapOnAnotherWorkerAndKeepsTheFirstResult) {
  SchedulerDriver d;
  d.Join(1, 2).Join(2, 2).Submit(1, {.maps = 4, .reduces = 1},
                                 {.slow_start_fraction = 1, .speculate = true});
  d.Wait(100);
  for (const std::uint32_t task : {0u, 1u, 3u}) d.Done(MapAttempt(1, task, 0));
  d.Send(AttemptProgress{MapAttempt(1, 2, 0), 0.2});
  d.Wait(40);
  EXPECT_THAT(d.All<StartMap>(), IsEmpty()) << "not slow yet";
  d.Wait(20);
  const auto backup = d.Only<StartMap>();
  EXPECT_EQ(backup.attempt, MapAttempt(1, 2, 1));
  EXPECT_EQ(backup.worker, 2u) << "the first runs on worker 1";
  d.Done(backup.attempt, {7});
  EXPECT_EQ(d.Only<StopAttempt>().reason, StopReason::kOtherWon);
  d.Done(MapAttempt(1, 2, 0), {7});
  EXPECT_EQ(d.Only<DiscardSegment>().segment, (SegmentRef{2, 0, 1}));
  EXPECT_EQ(d.scheduler().ViewJob(1)->maps_done, 4u);
}

TEST(Scheduler, RefusesTheBackupThatComesSecondInAMapOnlyJob) {
  SchedulerDriver d;
  d.Join(1, 2).Join(2, 2).Submit(1, {.maps = 4, .reduces = 0}, {.speculate = true});
  d.Wait(100);
  for (const std::uint32_t task : {0u, 1u, 3u}) d.Commit(MapAttempt(1, task, 0));
  d.Wait(60);
  ASSERT_EQ(d.Only<StartMap>().attempt, MapAttempt(1, 2, 1));
  d.Send(CommitRequested{MapAttempt(1, 2, 0)});
  d.Send(CommitRequested{MapAttempt(1, 2, 1)});
  EXPECT_EQ(d.Only<RefuseCommit>().attempt, MapAttempt(1, 2, 1));
  d.Fail(MapAttempt(1, 2, 0), Aborted("died"));
  EXPECT_THAT(d.All<StartMap>(), SizeIs(1)) << "neither of the two can finish";
}

TEST(Scheduler, DoesNotBackUpAMapThatMayCommit) {
  SchedulerDriver d;
  d.Join(1, 2).Join(2, 2).Submit(1, {.maps = 4, .reduces = 0}, {.speculate = true});
  d.Wait(100);
  for (const std::uint32_t task : {0u, 1u, 3u}) d.Commit(MapAttempt(1, task, 0));
  d.Send(CommitRequested{MapAttempt(1, 2, 0)});
  EXPECT_TRUE(d.Wait(500).quiet());
}

// --- Gangs.

TEST(Scheduler, StartsAGangAtOnceBeyondFreeSlots) {
  SchedulerDriver d;
  d.Join(1, 2).Join(2, 1).Submit(1, {.maps = 3, .reduces = 0});
  EXPECT_THAT(d.All<StartMap>(), SizeIs(3)) << "all slots are taken";
  d.Submit(2, {.maps = 6, .reduces = 0}, {.gang = true});
  std::map<WorkerId, int> starts;
  for (const StartMap& start : d.All<StartMap>()) {
    EXPECT_EQ(start.attempt.job, 2u);
    ++starts[start.worker];
  }
  EXPECT_EQ(starts[1], 4) << "by slots";
  EXPECT_EQ(starts[2], 2);
}

TEST(Scheduler, GivesAGangNoMoreThanAWorkerCanRun) {
  SchedulerOptions options;
  options.gang_tasks_per_slot_max = 2;
  SchedulerDriver d(options);
  d.Join(1, 1).Submit(1, {.maps = 3, .reduces = 0}, {.gang = true});
  EXPECT_THAT(d.All<StartMap>(), SizeIs(2));
  d.Join(2, 1);
  EXPECT_EQ(d.Only<StartMap>().worker, 2u) << "as soon as there is room";
}

TEST(Scheduler, MovesALostSeatToAWorkerWithoutAFreeSlot) {
  SchedulerDriver d;
  d.Join(1, 1).Join(2, 1).Submit(1, {.maps = 2, .reduces = 0}, {.gang = true});
  d.Send(WorkerLost{2, 1});
  const auto start = d.Only<StartMap>();
  EXPECT_EQ(start.worker, 1u);
  EXPECT_EQ(start.attempt.attempt, 1u);
  for (std::uint32_t task = 0; task < 2; ++task)
    d.Commit(MapAttempt(1, task, task == start.attempt.task ? 1 : 0));
  EXPECT_EQ(d.Only<CommitJob>().job, 1u);
  d.Send(JobCommitted{1, OkStatus()});
  d.Submit(2, {.maps = 2, .reduces = 0});
  EXPECT_THAT(d.All<StartMap>(), SizeIs(1)) << "its slots are counted right afterwards";
}

TEST(Scheduler, MovesAFailedSeatToAnotherWorkerWhereverThereIsMoreRoom) {
  SchedulerDriver d;
  d.Join(1, 1).Join(2, 1).Submit(1, {.maps = 2, .reduces = 0}, {.gang = true});
  const StartMap first = d.All<StartMap>().front();
  d.Fail(first.attempt, DataLoss("the disk is failing"));
  const StartMap second = d.Only<StartMap>();
  EXPECT_NE(second.worker, first.worker);
  d.Fail(second.attempt, DataLoss("this one, too"));
  EXPECT_EQ(d.Only<StartMap>().attempt.attempt, 2u) << "anywhere is better than nowhere";
}

// --- Several jobs.

TEST(Scheduler, SharesSlotsByWeight) {
  SchedulerDriver d;
  d.Submit(1, {.maps = 100}, {.weight = 1}).Submit(2, {.maps = 100}, {.weight = 3}).Join(1, 40);
  EXPECT_EQ(d.scheduler().ViewJob(1)->maps_running, 10u);
  EXPECT_EQ(d.scheduler().ViewJob(2)->maps_running, 30u);
}

TEST(Scheduler, GivesFreedSlotsToTheJobBelowItsShare) {
  SchedulerDriver d;
  d.Join(1, 4).Submit(1, {.maps = 100}).Submit(2, {.maps = 100});
  for (std::uint32_t task = 0; task < 4; ++task) d.Done(MapAttempt(1, task, 0));
  EXPECT_EQ(d.scheduler().ViewJob(1)->maps_running, 2u);
  EXPECT_EQ(d.scheduler().ViewJob(2)->maps_running, 2u);
}

TEST(Scheduler, PrefersTheMapsOfOneJobToTheEarlyReducesOfAnother) {
  SchedulerDriver d;
  d.Join(1, 3).Submit(1, {.maps = 2, .reduces = 2});
  d.Done(MapAttempt(1, 0, 0));
  ASSERT_THAT(d.All<StartReduce>(), SizeIs(2));
  d.Submit(2, {.maps = 1});
  const auto stop = d.Only<StopAttempt>();
  EXPECT_EQ(stop.attempt.kind, TaskKind::kReduce);
  d.Send(AttemptStopped{stop.attempt});
  EXPECT_EQ(d.Only<StartMap>().attempt, MapAttempt(2, 0, 0));
}

TEST(Scheduler, KeepsASlotFreeForAMapRatherThanStartAReduceEarly) {
  SchedulerDriver d;
  d.Join(2, 1).Submit(2, {.maps = 2, .reduces = 1}).Done(MapAttempt(2, 0, 0));
  d.Submit(1, {.maps = 1}).Join(1, 1);
  d.Fail(MapAttempt(1, 0, 0), Aborted("crashed"));
  EXPECT_TRUE(d.quiet()) << "the map keeps away from worker 1, and worker 2 is busy";
  d.Wait(SchedulerOptions{}.avoid_ms);
  EXPECT_EQ(d.Only<StartMap>().attempt, MapAttempt(1, 0, 1));
}

// --- Non-determinism that is not allowed.

TEST(Scheduler, EndsAJobThatMustBeDeterministicAndIsNot) {
  SchedulerDriver d;
  d.Join(1, 1).Submit(1, {.maps = 1, .reduces = 2}, {.allow_nondeterminism = false});
  d.Done(MapAttempt(1, 0, 0), {1, 2});
  d.Send(SegmentLost{ReduceAttempt(1, 0, 0), 0, 0, true});
  d.Done(MapAttempt(1, 0, 1), {2, 1});
  EXPECT_THAT(d.All<StopAttempt>(), IsEmpty()) << "it had ended";
  const Status status = d.Only<JobEnded>().status;
  EXPECT_EQ(status.code(), Code::kUserCode);
  for (const char* part :
       {"map task 0, attempt 1", "partitions 0 and 1", "attempt 0", "--allow-nondeterminism"})
    EXPECT_THAT(status.message(), HasSubstr(part));
}

TEST(Scheduler, FindsNonDeterminismInAnAttemptThatCameSecond) {
  SchedulerDriver d;
  d.Join(1, 2).Join(2, 2).Submit(
      1, {.maps = 4, .reduces = 1},
      {.slow_start_fraction = 1, .speculate = true, .allow_nondeterminism = false});
  d.Wait(100);
  for (const std::uint32_t task : {0u, 1u, 3u}) d.Done(MapAttempt(1, task, 0));
  d.Wait(60);
  ASSERT_EQ(d.Only<StartMap>().attempt, MapAttempt(1, 2, 1));
  d.Done(MapAttempt(1, 2, 1), {7});
  d.Done(MapAttempt(1, 2, 0), {8});
  EXPECT_THAT(d.All<StopAttempt>(), SizeIs(1)) << "the reduce";
  d.Send(AttemptStopped{ReduceAttempt(1, 0, 0)});
  EXPECT_EQ(d.Only<JobEnded>().status.code(), Code::kUserCode);
}

// --- Small jobs.

TEST(Scheduler, GivesSmallJobsTheirWorkerFirstAndOthersNever) {
  SchedulerDriver d;
  d.Send(WorkerJoined{1, 1, 2, "here", "", true}).Join(2, 4);
  d.Submit(1, {.maps = 10});
  for (const StartMap& start : d.All<StartMap>()) EXPECT_EQ(start.worker, 2u);
  EXPECT_EQ(d.scheduler().ViewWorker(1)->slots_taken, 0u);
  d.Submit(2, {.maps = 3}, {.small = true});
  ASSERT_THAT(d.All<StartMap>(), SizeIs(2));
  for (const StartMap& start : d.All<StartMap>()) EXPECT_EQ(start.worker, 1u);
  d.Done(MapAttempt(1, 0, 0));
  EXPECT_EQ(d.Only<StartMap>().attempt, MapAttempt(2, 2, 0)) << "the small worker is full";
  EXPECT_EQ(d.Only<StartMap>().worker, 2u);
}

TEST(Scheduler, LeavesOtherWorkersAloneWhileTheSmallOneHasRoom) {
  SchedulerDriver d;
  d.Join(2, 4).Send(WorkerJoined{1, 1, 2, "here", "", true});
  d.Submit(1, {.maps = 2, .reduces = 1}, {.small = true});
  for (const StartMap& start : d.All<StartMap>()) EXPECT_EQ(start.worker, 1u);
  EXPECT_EQ(d.scheduler().ViewWorker(2)->slots_taken, 0u);
}

// --- Speculation of reduces.

TEST(Scheduler, BacksUpASlowReduceByItsRate) {
  SchedulerDriver d;
  d.Join(1, 2).Join(2, 3).Submit(1, {.maps = 1, .reduces = 4},
                                 {.slow_start_fraction = 1, .speculate = true});
  d.Wait(1'000).Done(MapAttempt(1, 0, 0));
  ASSERT_THAT(d.All<StartReduce>(), SizeIs(4));
  std::map<std::uint32_t, WorkerId> workers;
  for (const StartReduce& start : d.All<StartReduce>()) workers[start.attempt.task] = start.worker;
  d.Wait(100);
  for (const std::uint32_t task : {0u, 1u, 3u}) d.Commit(ReduceAttempt(1, task, 0));
  d.Send(AttemptProgress{ReduceAttempt(1, 2, 0), 0.9}).Wait(60);
  EXPECT_THAT(d.All<StartReduce>(), IsEmpty()) << "late, but nearly there";
  d.Send(AttemptProgress{ReduceAttempt(1, 2, 0), 0.2}).Wait(1);
  const auto backup = d.Only<StartReduce>();
  EXPECT_EQ(backup.attempt, ReduceAttempt(1, 2, 1));
  EXPECT_TRUE(backup.backup);
  EXPECT_NE(backup.worker, workers[2]);
  EXPECT_THAT(d.Only<SegmentsAvailable>().segments, SizeIs(1));
  d.Send(CommitRequested{backup.attempt});
  d.Send(CommitRequested{ReduceAttempt(1, 2, 0)});
  EXPECT_EQ(d.Only<RefuseCommit>().attempt, ReduceAttempt(1, 2, 0));
  d.Send(Committed{backup.attempt, 1});
  EXPECT_EQ(d.Only<CommitJob>().outputs[2].attempt, 1u);
}

TEST(Scheduler, TakesRunningTasksAsPeersUntilSomeHaveEnded) {
  SchedulerDriver d;
  d.Join(1, 1).Join(2, 2).Submit(1, {.maps = 2}, {.slow_start_fraction = 1, .speculate = true});
  d.Wait(100);
  d.Send(AttemptProgress{MapAttempt(1, 0, 0), 0.05})
      .Send(AttemptProgress{MapAttempt(1, 1, 0), 0.9});
  d.Wait(400);
  EXPECT_THAT(d.All<StartMap>(), IsEmpty()) << "0.9 of a task is not enough to go by";
  d.Done(MapAttempt(1, 1, 0));
  d.Wait(500);
  EXPECT_EQ(d.Only<StartMap>().attempt, MapAttempt(1, 0, 1));
}

// --- Views.

TEST(Scheduler, ShowsWorkersAndJobs) {
  SchedulerDriver d;
  d.Join(1, 3, 5).Submit(9, {.maps = 2}).Submit(4, {.maps = 0, .reduces = 0});
  EXPECT_THAT(d.scheduler().job_ids(), ElementsAre(4, 9));
  const auto view = d.scheduler().ViewWorker(1);
  ASSERT_TRUE(view.has_value());
  EXPECT_EQ(view->epoch, 5u);
  EXPECT_EQ(view->slots, 3u);
  EXPECT_EQ(view->slots_taken, 2u);
  d.Send(DrainWorker{1, 5});
  EXPECT_TRUE(d.scheduler().ViewWorker(1)->draining);
  EXPECT_EQ(d.scheduler().WorkerOf(MapAttempt(9, 1, 0)), 1u);
  EXPECT_FALSE(d.scheduler().WorkerOf(MapAttempt(9, 1, 1)).has_value());
  d.Send(WorkerLost{1, 5});
  EXPECT_FALSE(d.scheduler().ViewWorker(1).has_value());
}

// --- Stale and foolish events.

TEST(Scheduler, IgnoresWhatItDoesNotKnow) {
  SchedulerDriver d;
  d.Join(1, 1).Submit(1, {.maps = 1});
  const AttemptId ids[] = {MapAttempt(1, 0, 9), MapAttempt(1, 7, 0), MapAttempt(9, 0, 0),
                           ReduceAttempt(1, 0, 0)};
  for (const AttemptId& id : ids) {
    for (const Event& event : std::initializer_list<Event>{
             AttemptProgress{id, 1}, AttemptDone{id, 1, {}, {}},
             AttemptFailed{id, BadData("x"), {}}, AttemptStopped{id}, SegmentLost{id, 0, 0, true},
             CommitRequested{id}, Committed{id, 0}}) {
      EXPECT_TRUE(d.Send(event).quiet());
    }
  }
  EXPECT_TRUE(d.Submit(1, {.maps = 5}).quiet());
  EXPECT_TRUE(d.Send(CancelJob{9, ""}).quiet());
  EXPECT_TRUE(d.Send(JobCommitted{1, OkStatus()}).quiet());
  EXPECT_TRUE(d.Send(DrainWorker{1, 9}).quiet());
  EXPECT_EQ(d.scheduler().ViewJob(1)->maps_running, 1u);
  EXPECT_THAT(d.Done(MapAttempt(1, 0, 0)).All<StartReduce>(), SizeIs(1)) << "it goes on";
}

TEST(Scheduler, CountsAnAttemptThatEndsWithoutItsEndRecordAsFailed) {
  SchedulerDriver d;
  d.Join(1, 1).Submit(1, {.maps = 0, .reduces = 1});
  d.Send(AttemptDone{ReduceAttempt(1, 0, 0), 1, {}, {}});
  EXPECT_EQ(d.Only<StartReduce>().attempt, ReduceAttempt(1, 0, 1));
  EXPECT_EQ(d.scheduler().ViewJob(1)->tally.attempts_failed, 1u);
}

TEST(Scheduler, IsSilentWithoutWork) {
  SchedulerDriver d;
  d.Join(1, 4);
  EXPECT_FALSE(d.scheduler().next_tick_ms().has_value());
  EXPECT_TRUE(d.Wait(1'000'000).quiet());
}

}  // namespace
}  // namespace spillway
