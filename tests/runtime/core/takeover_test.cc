// A scheduler that goes on from the journal of another, and workers that resume.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "runtime/core/journalled.h"
#include "runtime/core/large_first.h"
#include "tests/runtime/core/scheduler_driver.h"

namespace spillway {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

/// A driver that keeps a journal, and can be succeeded.
class Coordinator {
 public:
  explicit Coordinator(const SchedulerOptions& options = {}) : options_(options) { NewDriver(); }

  SchedulerDriver& Send(const Event& event) {
    d_->Send(event);
    if (IsJournalled(event)) journal_.push_back(event);
    for (const Action& action : d_->actions())
      if (const auto decision = DecisionOf(action)) journal_.push_back(*decision);
    return *d_;
  }
  void Join(WorkerId worker, std::uint32_t slots) {
    Send(WorkerJoined{worker, 1, slots, "host" + std::to_string(worker), "rack"});
  }
  void Submit(JobId job, std::uint32_t maps, std::uint32_t reduces, JobOptions options = {}) {
    SubmitJob submit{job, {}, reduces, options};
    submit.maps.resize(maps);
    Send(submit);
  }
  void Done(const AttemptId& id) { Send(AttemptDone{id, 1, {}, {}}); }

  /// The next coordinator, up to where it would say TakenOver.
  void Die() {
    const std::string tables = d_->scheduler().DumpTables();
    NewDriver();
    for (const Event& event : journal_) ASSERT_TRUE(d_->scheduler().Replay(event, d_->now()).ok());
    EXPECT_EQ(d_->scheduler().DumpTables(), tables);
  }

  SchedulerDriver& d() { return *d_; }
  std::vector<Event>& journal() { return journal_; }

 private:
  void NewDriver() { d_ = std::make_unique<SchedulerDriver>(options_); }

  const SchedulerOptions options_;
  std::unique_ptr<SchedulerDriver> d_;
  std::vector<Event> journal_;
};

TEST(Takeover, GivesWorkersNothingUntilTheyResumeAndRunsNoFinishedMapAgain) {
  Coordinator c;
  c.Join(1, 1);
  c.Submit(7, 3, 1, {.slow_start_fraction = 1});
  c.Done(MapAttempt(7, 0, 0));
  c.Die();
  c.Send(TakenOver{});
  EXPECT_TRUE(c.d().quiet());
  EXPECT_TRUE(c.d().scheduler().ViewWorker(1)->away);
  c.Send(WorkerResumed{1, 1, {MapAttempt(7, 1, 0)}});
  EXPECT_TRUE(c.d().quiet()) << "it goes on with what it runs";
  c.Done(MapAttempt(7, 1, 0));
  EXPECT_EQ(c.d().Only<StartMap>().attempt, MapAttempt(7, 2, 1'000));
  c.Done(MapAttempt(7, 2, 1'000));
  EXPECT_THAT(c.d().Only<SegmentsAvailable>().segments,
              ElementsAre(SegmentRef{0, 0, 1}, SegmentRef{1, 0, 1}, SegmentRef{2, 1'000, 1}));
  EXPECT_EQ(c.d().scheduler().ViewJob(7)->tally.maps_rerun, 0u);
}

TEST(Takeover, RunsAgainWhatAWorkerNoLongerHasWithoutCountingAFailure) {
  Coordinator c;
  c.Join(1, 2);
  c.Submit(7, 2, 0);
  c.Die();
  c.Send(TakenOver{});
  c.Send(WorkerResumed{1, 1, {MapAttempt(7, 1, 0)}});
  EXPECT_EQ(c.d().Only<StartMap>().attempt, MapAttempt(7, 0, 1'000));
  EXPECT_EQ(c.d().scheduler().ViewJob(7)->tally.attempts_failed, 0u);
}

TEST(Takeover, StopsWhatItDoesNotKnow) {
  Coordinator c;
  c.Join(1, 2);
  c.Join(2, 2);
  c.Submit(7, 2, 0);
  c.Die();
  c.Send(TakenOver{});
  // One of a job that nobody knows, and one that is worker 2's.
  c.Send(WorkerResumed{1, 1, {MapAttempt(7, 0, 0), MapAttempt(7, 1, 0), MapAttempt(99, 0, 0)}});
  const auto stops = c.d().All<StopAttempt>();
  ASSERT_THAT(stops, SizeIs(2));
  EXPECT_EQ(stops[0].attempt, MapAttempt(7, 1, 0));
  EXPECT_EQ(stops[1].attempt, MapAttempt(99, 0, 0));
  for (const StopAttempt& stop : stops) EXPECT_EQ(stop.reason, StopReason::kUnknown);
}

TEST(Takeover, LosesWorkersThatDoNotComeWithinALease) {
  Coordinator c({.lease_ms = 100});
  c.Join(1, 1);
  c.Join(2, 1);
  c.Submit(7, 2, 1, {.slow_start_fraction = 1});
  c.Done(MapAttempt(7, 0, 0));
  c.Die();
  c.Send(TakenOver{});
  c.d().Wait(99);
  c.Send(WorkerResumed{2, 1, {MapAttempt(7, 1, 0)}});
  EXPECT_TRUE(c.d().quiet());
  c.d().Wait(1);
  EXPECT_EQ(c.d().Only<WorkerExpired>().worker, 1u);
  EXPECT_EQ(c.d().scheduler().ViewJob(7)->tally.maps_rerun, 1u);
}

TEST(Takeover, PublishesAgainWhatWasBeingPublished) {
  Coordinator c;
  c.Join(1, 1);
  c.Submit(7, 1, 0);
  c.Send(CommitRequested{MapAttempt(7, 0, 0)});
  c.Send(Committed{MapAttempt(7, 0, 0), 1});
  ASSERT_THAT(c.d().All<CommitJob>(), SizeIs(1));
  c.Die();
  c.Send(TakenOver{});
  const auto outputs = c.d().Only<CommitJob>().outputs;
  ASSERT_THAT(outputs, SizeIs(1));
  EXPECT_EQ(outputs[0].attempt, 0u);
  c.Send(JobCommitted{7, OkStatus()});
  EXPECT_TRUE(c.d().Only<JobEnded>().status.ok());
}

TEST(Takeover, EndsAgainWhatHadEnded) {
  Coordinator c;
  c.Join(1, 1);
  c.Submit(7, 1, 0);
  c.Send(AttemptFailed{MapAttempt(7, 0, 0), BadData("line 3"), std::nullopt});
  ASSERT_THAT(c.d().All<JobEnded>(), SizeIs(1));
  c.Die();
  c.Send(TakenOver{});
  EXPECT_EQ(c.d().Only<JobEnded>().status.code(), Code::kBadData);
  EXPECT_FALSE(c.d().scheduler().ViewJob(7).has_value());
  c.Die();
  c.Send(TakenOver{});
  EXPECT_THAT(c.d().All<JobEnded>(), SizeIs(1)) << "as long as the journal has it";
}

TEST(Takeover, GivesAGrantAgainToTheSameAttemptOnly) {
  Coordinator c;
  c.Join(1, 1);
  c.Submit(7, 0, 1);
  c.Send(CommitRequested{ReduceAttempt(7, 0, 0)});
  c.Die();
  c.Send(TakenOver{});
  c.Send(WorkerResumed{1, 1, {ReduceAttempt(7, 0, 0)}});
  EXPECT_EQ(c.d().Only<GrantCommit>().attempt, ReduceAttempt(7, 0, 0));
  EXPECT_EQ(c.d().Only<GrantCommit>().epoch, 1u);
  // It loses the attempt, and the next one has an epoch of its own.
  c.Send(WorkerResumed{1, 1, {}});
  c.Send(CommitRequested{ReduceAttempt(7, 0, 1'000)});
  EXPECT_EQ(c.d().Only<GrantCommit>().epoch, 2u);
}

TEST(Takeover, TellsAReduceAllItsSegmentsAgain) {
  Coordinator c;
  c.Join(1, 3);
  c.Submit(7, 3, 1, {.slow_start_fraction = 0});
  c.Done(MapAttempt(7, 0, 0));
  c.Done(MapAttempt(7, 1, 0));
  c.Send(Tick{});
  // The same coordinator; only the session was lost.
  c.Send(WorkerResumed{1, 1, {MapAttempt(7, 2, 0), ReduceAttempt(7, 0, 0)}});
  EXPECT_THAT(c.d().Only<SegmentsAvailable>().segments,
              ElementsAre(SegmentRef{0, 0, 1}, SegmentRef{1, 0, 1}));
}

TEST(Takeover, StopsAgainWhatHasToStop) {
  Coordinator c;
  c.Join(1, 1);
  c.Submit(7, 1, 0);
  c.Send(CancelJob{7, "enough"});
  c.Die();
  c.Send(TakenOver{});
  EXPECT_THAT(c.d().All<JobEnded>(), IsEmpty());
  c.Send(WorkerResumed{1, 1, {MapAttempt(7, 0, 0)}});
  EXPECT_EQ(c.d().Only<StopAttempt>().reason, StopReason::kJobEnding);
  c.Send(AttemptStopped{MapAttempt(7, 0, 0)});
  EXPECT_EQ(c.d().Only<JobEnded>().status.code(), Code::kCancelled);
}

TEST(Takeover, RemembersTimeOutsAsFailures) {
  Coordinator c;
  c.Join(1, 2);
  c.Submit(7, 1, 0, {.attempts_max = 2, .task_timeout_ms = 100});
  c.d().Wait(100);  // Not journalled; what it decides is.
  for (const Action& action : c.d().actions())
    if (const auto decision = DecisionOf(action)) c.journal().push_back(*decision);
  ASSERT_EQ(c.d().Only<StopAttempt>().reason, StopReason::kTimeout);
  Coordinator next;
  for (const Event& event : c.journal())
    ASSERT_TRUE(next.d().scheduler().Replay(event, next.d().now()).ok());
  EXPECT_EQ(next.d().scheduler().ViewJob(7)->tally.attempts_failed, 1u);
}

TEST(Takeover, SaysAgainThatAWorkerIsDrained) {
  Coordinator c;
  c.Join(1, 1);
  c.Send(DrainWorker{1, 1});
  ASSERT_THAT(c.d().All<WorkerDrained>(), SizeIs(1));
  c.Die();
  c.Send(TakenOver{});
  EXPECT_TRUE(c.d().quiet());
  c.Send(WorkerResumed{1, 1, {}});
  EXPECT_THAT(c.d().All<WorkerDrained>(), SizeIs(1));
}

TEST(Takeover, IgnoresAWorkerThatResumesWithoutBeingKnown) {
  Coordinator c;
  c.Join(1, 1);
  EXPECT_TRUE(c.Send(WorkerResumed{1, 2, {MapAttempt(1, 0, 0)}}).quiet());
  EXPECT_TRUE(c.Send(WorkerResumed{8, 1, {}}).quiet());
}

TEST(Takeover, RefusesAJournalThatContradictsItself) {
  const auto replay = [](std::vector<Event> events) {
    SchedulerDriver d;
    Status status;
    for (const Event& event : events)
      if (status.ok()) status = d.scheduler().Replay(event, d.now());
    return status;
  };
  SubmitJob job{1, {}, 0, {}};
  job.maps.resize(1);
  const WorkerJoined worker{1, 1, 1, "host", "rack"};
  EXPECT_TRUE(replay({worker, job, AttemptStarted{MapAttempt(1, 0, 0), 1}}).ok());
  const std::vector<std::vector<Event>> wrong = {
      {job, AttemptStarted{MapAttempt(1, 0, 0), 1}},
      {worker, AttemptStarted{MapAttempt(1, 0, 0), 1}},
      {worker, job, AttemptStarted{MapAttempt(1, 0, 1), 1}},
      {worker, job, AttemptStarted{MapAttempt(1, 1, 0), 1}},
      {worker, job, AttemptStarted{ReduceAttempt(1, 0, 0), 1}},
      {worker, job, AttemptStarted{MapAttempt(1, 0, 0), 1}, AttemptStarted{MapAttempt(1, 0, 1), 1}},
      {worker, WorkerLost{1, 1}, job, AttemptStarted{MapAttempt(1, 0, 0), 1}}};
  for (const auto& events : wrong) {
    const Status status = replay(events);
    EXPECT_EQ(status.code(), Code::kDataLoss);
    EXPECT_THAT(status.message(), HasSubstr("task"));
  }
}

// --- Planned reduces.

/// Two maps; partition 0 is split in two, 1 to 3, 4 to 6, ... are joined. On one worker.
struct PlannedJob : Coordinator {
  static constexpr std::uint32_t kReduces = 25;
  PlannedJob() : Coordinator(SmallPlans(100)) {
    Join(1, 2);
    Submit(7, 2, kReduces, {.slow_start_fraction = 1, .associative = true});
    std::string sizes(kReduces, static_cast<char>(SizeByteOf(10)));
    sizes[0] = static_cast<char>(SizeByteOf(10'000));
    for (const std::uint32_t map : {0, 1})
      Send(AttemptDone{MapAttempt(7, map, 0), 1, {}, {}, sizes});
  }
  static AttemptId Combine(std::uint32_t task, std::uint32_t attempt) {
    return {7, TaskKind::kCombine, task, attempt};
  }
};

TEST(TakeoverOfAPlan, FindsCombinesAndJoinsAsTheyWere) {
  PlannedJob c;
  const ReducePlan plan = c.d().Only<CutReduces>().plan;
  ASSERT_THAT(plan.splits, ElementsAre(SplitPartition{0, 2}));
  ASSERT_THAT(plan.joins, SizeIs(8));
  c.Die();
  c.Send(TakenOver{});
  c.Send(WorkerResumed{1, 1, {c.Combine(0, 0)}});
  EXPECT_EQ(c.d().Only<StartCombine>().attempt, c.Combine(1, 1'000)) << "the worker lost it";
  EXPECT_EQ(c.d().Only<StartCombine>().sources, (SegmentRange{1, 1}));
  EXPECT_THAT(c.d().All<SegmentsAvailable>(), SizeIs(2)) << "the one that goes on is told again";
  c.Done(c.Combine(0, 0));
  EXPECT_EQ(c.d().Only<StartReduce>().attempt, ReduceAttempt(7, 1, 1'000));
  EXPECT_EQ(c.d().Only<StartReduce>().partitions, 3u);
  c.Die();
  c.Send(TakenOver{});
  EXPECT_EQ(c.d().scheduler().PartitionsOf(ReduceAttempt(7, 1, 1'000)), 3u);
  c.Send(WorkerResumed{1, 1, {c.Combine(1, 1'000), ReduceAttempt(7, 1, 1'000)}});
  c.Done(c.Combine(1, 1'000));
  EXPECT_EQ(c.d().Only<StartReduce>().attempt, ReduceAttempt(7, 0, 2'000));
  EXPECT_EQ(c.d().Only<StartReduce>().sources, (SegmentRange{2, 2}));
}

TEST(TakeoverOfAPlan, RemembersWhichJoinsWereDissolved) {
  PlannedJob c;
  c.Done(c.Combine(0, 0));
  ASSERT_EQ(c.d().Only<StartReduce>().attempt, ReduceAttempt(7, 1, 0));
  c.Send(AttemptFailed{ReduceAttempt(7, 1, 0), Aborted("crashed"), std::nullopt});
  ASSERT_EQ(c.d().Only<StartReduce>().attempt, ReduceAttempt(7, 1, 1));
  c.Die();
  c.Send(TakenOver{});
  c.Send(WorkerResumed{1, 1, {c.Combine(1, 0)}});
  EXPECT_EQ(c.d().Only<StartReduce>().attempt, ReduceAttempt(7, 1, 1'000));
  EXPECT_EQ(c.d().Only<StartReduce>().partitions, 1u);
}

TEST(TakeoverOfAPlan, RemembersALostPiece) {
  PlannedJob c;
  c.Done(c.Combine(0, 0));
  c.Done(c.Combine(1, 0));
  ASSERT_EQ(c.d().Only<StartReduce>().attempt, ReduceAttempt(7, 0, 0));
  c.Send(SegmentLost{ReduceAttempt(7, 0, 0), 2, 0, true});
  ASSERT_EQ(c.d().Only<StartCombine>().attempt, c.Combine(0, 1));
  c.Die();
  EXPECT_EQ(c.d().scheduler().ViewJob(7)->combines_done, 1u);
  c.Send(TakenOver{});
  c.Send(WorkerResumed{1, 1, {c.Combine(0, 1), ReduceAttempt(7, 1, 0)}});
  c.Done(c.Combine(0, 1));
  EXPECT_EQ(c.d().Only<StartReduce>().attempt, ReduceAttempt(7, 0, 1'000));
}

TEST(TakeoverOfAPlan, RemembersThatNobodyWasLeftWhoRunsPlans) {
  PlannedJob c;
  WorkerJoined older{2, 1, 2, "host2", "rack"};
  older.runs_plans = false;
  c.Send(older);
  c.Send(WorkerLost{1, 1});
  ASSERT_TRUE(c.d().Only<CutReduces>().plan.empty());
  c.Die();
  c.Send(TakenOver{});
  c.Send(WorkerResumed{2, 1, {MapAttempt(7, 0, 1), MapAttempt(7, 1, 1)}});
  c.Done(MapAttempt(7, 0, 1));
  c.Join(3, 2);
  c.Done(MapAttempt(7, 1, 1));
  EXPECT_THAT(c.d().All<StartCombine>(), IsEmpty());
  bool hot = false;
  for (const StartReduce& start : c.d().All<StartReduce>()) {
    EXPECT_EQ(start.partitions, 1u);
    EXPECT_EQ(start.sources, (SegmentRange{0, 2}));
    hot = hot || start.attempt.task == 0;
  }
  EXPECT_TRUE(hot);
}

TEST(TakeoverOfAPlan, GoesByTheJournalAndNotByItsOwnJudgement) {
  PlannedJob c;
  const std::string tables = c.d().scheduler().DumpTables();
  SchedulerDriver other;  // It would split nothing that small.
  for (const Event& event : c.journal())
    ASSERT_TRUE(other.scheduler().Replay(event, c.d().now()).ok());
  EXPECT_EQ(other.scheduler().DumpTables(), tables);
  EXPECT_EQ(other.scheduler().ViewJob(7)->combines_total, 2u);
}

TEST(TakeoverOfAPlan, RefusesAPlanThatContradictsTheJournal) {
  SubmitJob job{1, {}, 4, {}};
  job.maps.resize(2);
  const auto replay = [&](const std::vector<Event>& events) {
    SchedulerDriver d;
    Status status = d.scheduler().Replay(job, d.now());
    for (const Event& event : events)
      if (status.ok()) status = d.scheduler().Replay(event, d.now());
    return status;
  };
  const ReducesPlanned good{1, {{{0, 2}}, {{1, 3}}}};
  EXPECT_TRUE(replay({good}).ok());
  const std::vector<std::vector<Event>> wrong = {
      {ReducesPlanned{2, good.plan}},             // A job that is not there.
      {good, good},                               // Twice.
      {ReducesPlanned{1, {{{4, 2}}, {}}}},        // Partitions that it does not have.
      {ReducesPlanned{1, {{}, {{1, 4}}}}},        //
      {ReducesPlanned{1, {{{0, 3}}, {}}}},        // More pieces than maps.
      {ReducesPlanned{1, {{{1, 2}}, {{0, 2}}}}},  // One that is split and joined.
      {CancelJob{1, "enough"}, good}};            // A job that is over.
  for (const auto& events : wrong) {
    const Status status = replay(events);
    EXPECT_EQ(status.code(), Code::kDataLoss);
    EXPECT_THAT(status.message(), HasSubstr("reduces of job"));
  }
}

TEST(TakeoverDeathTest, TakesNoDecisionOfAnotherInLiveUse) {
  SchedulerDriver d;
  EXPECT_DEATH(d.Send(AttemptStarted{MapAttempt(1, 0, 0), 1}), "IsDecision");
  Coordinator c;
  c.Join(1, 1);
  c.Die();
  EXPECT_DEATH(c.Send(Tick{}), "replaying_");
}

}  // namespace
}  // namespace spillway
