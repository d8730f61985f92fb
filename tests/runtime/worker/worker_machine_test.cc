#include "runtime/worker/worker_machine.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "runtime/protocol/frame.h"
#include "runtime/protocol/wire_values.h"

namespace spillway {
namespace {

constexpr JobId kJob = 3;
constexpr std::uint64_t kSession = 7;
const AttemptId kReduce{kJob, TaskKind::kReduce, 2, 0};

/// A worker that is registered and runs one attempt of a job; the test is the rest of the world.
class WorkerMachineTest : public ::testing::Test {
 protected:
  explicit WorkerMachineTest(bool loop = false) : machine_(Options()) {
    Take();
    wire::Message registered;
    registered.mutable_registered()->set_version(kProtocolVersion);
    registered.mutable_registered()->set_worker(1);
    registered.mutable_registered()->set_epoch(1);
    registered.mutable_registered()->set_session(kSession);
    registered.mutable_registered()->set_registration(1);
    machine_.OnCoordinatorFrame(LoneFrame(registered, kProtocolVersion), now_);
    wire::Message job;
    job.mutable_start_job()->set_job(kJob);
    if (loop) job.mutable_start_job()->mutable_spec()->mutable_loop()->set_parts(1);
    Hear(job);
    machine_.OnPrepared(kJob, Take().prepare.at(0).number, OkStatus(), now_);
    HearStart(kReduce);
    EXPECT_EQ(Take().spawn, std::vector<JobId>{kJob});
    ExecutorIsReady();
    EXPECT_EQ(Take().to_executors.size(), 1u);
  }

  static WorkerMachineOptions Options() {
    WorkerMachineOptions options;
    options.details.set_incarnation(5);
    options.details.set_slots(1);
    options.stop_timeout_ms = 100;
    return options;
  }

  void Hear(const wire::Message& message) {
    wire::Frame frame;
    frame.set_version(kProtocolVersion);
    frame.set_session(kSession);
    frame.set_first_sequence(++heard_);
    frame.add_messages(message.SerializeAsString());
    machine_.OnCoordinatorFrame(frame.SerializeAsString(), now_);
  }

  void HearStart(const AttemptId& id) {
    wire::Message start;
    *start.mutable_start_reduce()->mutable_attempt() = ToWire(id);
    start.mutable_start_reduce()->set_maps(1);
    Hear(start);
  }

  void ExecutorIsReady() {
    wire::Message ready;
    ready.mutable_executor_ready()->set_job(kJob);
    machine_.OnExecutorMessage(kJob, ready, now_);
  }

  void HearStop() {
    wire::Message stop;
    *stop.mutable_stop_attempt()->mutable_attempt() = ToWire(kReduce);
    Hear(stop);
  }

  void AskToCommit() {
    wire::Message request;
    *request.mutable_commit_request()->mutable_attempt() = ToWire(kReduce);
    machine_.OnExecutorMessage(kJob, request, now_);
  }

  void ExecutorDies() { machine_.OnExecutorEnded(kJob, {}, "killed", now_); }

  WorkerEffects Take() {
    WorkerEffects effects = machine_.TakeEffects(now_);
    for (const std::string& bytes : effects.frames) {
      const auto frame = ParseFrame(bytes);
      for (const std::string& text : frame->messages()) said_.push_back(*ParseMessage(text));
    }
    return effects;
  }

  /// How often the coordinator was told that the attempt has stopped.
  int Stopped() {
    Take();
    int times = 0;
    for (const wire::Message& message : said_)
      if (message.has_attempt_stopped() && FromWire(message.attempt_stopped().attempt()) == kReduce)
        ++times;
    return times;
  }

  TimeMs now_ = 1'000;
  WorkerMachine machine_;
  std::uint64_t heard_ = 0;
  std::vector<wire::Message> said_;
};

TEST_F(WorkerMachineTest, WhatAnExecutorTakesAlongHasStopped) {
  ExecutorDies();
  EXPECT_EQ(Stopped(), 1);
}

// Its part is durable: whoever dies, the grant makes it the task's output.
TEST_F(WorkerMachineTest, WhoWaitsForAGrantOutlivesItsExecutor) {
  AskToCommit();
  ExecutorDies();
  EXPECT_EQ(Stopped(), 0);
  HearStop();
  EXPECT_EQ(Stopped(), 1);
}

// Found by chaos: the coordinator waited for the end of such an attempt until it gave up its slot,
// and a drain of the worker for ever.
TEST_F(WorkerMachineTest, WhoWasToldToStopWhileItWaitedForAGrantStopsWithItsExecutor) {
  AskToCommit();
  HearStop();
  ExecutorDies();
  EXPECT_EQ(Stopped(), 1);
}

TEST_F(WorkerMachineTest, WhoAskedForAGrantAfterItWasToldToStopStopsWithItsExecutor) {
  HearStop();
  AskToCommit();
  ExecutorDies();
  EXPECT_EQ(Stopped(), 1);
}

TEST_F(WorkerMachineTest, WhoDoesNotStopWhileItWaitsForAGrantStopsWithItsExecutor) {
  AskToCommit();
  HearStop();
  now_ += Options().stop_timeout_ms;
  machine_.Tick(now_);
  EXPECT_EQ(Take().kill, std::vector<JobId>{kJob});
  ExecutorDies();
  EXPECT_EQ(Stopped(), 1);
}

TEST_F(WorkerMachineTest, WhoIsRefusedAGrantStopsWithItsExecutor) {
  AskToCommit();
  wire::Message refuse;
  *refuse.mutable_commit_refuse()->mutable_attempt() = ToWire(kReduce);
  Hear(refuse);
  ExecutorDies();
  EXPECT_EQ(Stopped(), 1);
}

// Found by the simulation: the slot of one that was given up stayed taken, and a drain hung.
TEST_F(WorkerMachineTest, WhatRunsWhenItsJobEndsHasStopped) {
  HearStop();
  wire::Message end;
  end.mutable_end_job()->set_job(kJob);
  Hear(end);
  EXPECT_EQ(Take().remove, std::vector<JobId>{kJob});
  EXPECT_EQ(Stopped(), 1);
}

class LoopingWorkerTest : public WorkerMachineTest {
 protected:
  LoopingWorkerTest() : WorkerMachineTest(true) {}

  void SeatFails() {
    wire::Message failed;
    *failed.mutable_attempt_failed()->mutable_attempt() = ToWire(kReduce);
    machine_.OnExecutorMessage(kJob, failed, now_);
    Take();
  }

  const AttemptId seat_{kJob, TaskKind::kReduce, 4, 1};
};

// Found by the simulation: the seat contributed to a round, or a generation, that was over, for
// ever.
TEST_F(LoopingWorkerTest, AnExecutorThatHadNoSeatsIsReplacedByOneThatAsks) {
  SeatFails();
  HearStart(seat_);
  WorkerEffects effects = Take();
  EXPECT_EQ(effects.kill, std::vector<JobId>{kJob});
  EXPECT_TRUE(effects.to_executors.empty());
  ExecutorDies();
  EXPECT_EQ(Take().spawn, std::vector<JobId>{kJob});
  ExecutorIsReady();
  EXPECT_EQ(Take().to_executors.size(), 1u);
}

TEST_F(LoopingWorkerTest, AnExecutorThatHasSeatsIsGivenMore) {
  HearStart(seat_);
  WorkerEffects effects = Take();
  EXPECT_TRUE(effects.kill.empty());
  EXPECT_EQ(effects.to_executors.size(), 1u);
}

TEST_F(WorkerMachineTest, AnExecutorOfAnOrdinaryJobIsKept) {
  ExecutorDies();
  HearStart({kJob, TaskKind::kReduce, 2, 1});
  EXPECT_EQ(Take().spawn, std::vector<JobId>{kJob});
  ExecutorIsReady();
  wire::Message failed;
  *failed.mutable_attempt_failed()->mutable_attempt() = ToWire({kJob, TaskKind::kReduce, 2, 1});
  machine_.OnExecutorMessage(kJob, failed, now_);
  HearStart({kJob, TaskKind::kReduce, 2, 2});
  EXPECT_TRUE(Take().kill.empty());
}

}  // namespace
}  // namespace spillway
