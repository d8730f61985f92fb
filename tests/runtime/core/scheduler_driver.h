// SchedulerDriver: a scheduler with a hand on it, for tests: it sends events, keeps the clock, and
// sorts the answers. One thread.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "runtime/core/scheduler.h"

namespace spillway {

/// Spans in actions live until the next event; what tests keep is copied here.
class SchedulerDriver {
 public:
  explicit SchedulerDriver(const SchedulerOptions& options = {}) : scheduler_(options) {}

  SchedulerDriver& Send(const Event& event) {
    actions_.clear();
    scheduler_.Step(event, now_, actions_);
    return *this;
  }
  SchedulerDriver& Wait(TimeMs ms) {
    now_ += ms;
    return Send(Tick{});
  }

  /// A worker of epoch 1 on a host of its own.
  SchedulerDriver& Join(WorkerId worker, std::uint32_t slots, std::uint64_t epoch = 1) {
    return Send(WorkerJoined{worker, epoch, slots, "host" + std::to_string(worker), "rack"});
  }
  struct Shape {
    std::uint32_t maps = 1;
    std::uint32_t reduces = 1;
  };
  SchedulerDriver& Submit(JobId job, Shape shape, const JobOptions& options = {}) {
    SubmitJob submit{job, {}, shape.reduces, options};
    submit.maps.resize(shape.maps);
    return Send(submit);
  }

  /// What the last event brought.
  template <class A>
  std::vector<A> All() const {
    std::vector<A> found;
    for (const Action& action : actions_)
      if (const A* a = std::get_if<A>(&action)) found.push_back(*a);
    return found;
  }
  /// The only action of this type; fails the test when there is another number of them.
  template <class A>
  A Only() const {
    const std::vector<A> found = All<A>();
    EXPECT_EQ(found.size(), 1u);
    return found.empty() ? A{} : found.front();
  }
  bool quiet() const { return actions_.empty(); }
  const Actions& actions() const { return actions_; }

  SchedulerDriver& Done(const AttemptId& id, std::vector<std::uint64_t> hashes = {}) {
    return Send(AttemptDone{id, 1, std::move(hashes), {}});
  }
  SchedulerDriver& Fail(const AttemptId& id, Status status) {
    return Send(AttemptFailed{id, std::move(status), std::nullopt});
  }
  SchedulerDriver& FailOn(const AttemptId& id, RecordPlace place, Status status) {
    return Send(AttemptFailed{id, std::move(status), FailedRecord{place, "in/part"}});
  }
  SchedulerDriver& FailOn(const AttemptId& id, RecordPlace place, const std::string& message) {
    return FailOn(id, place, UserCodeError(message));
  }
  /// Asks to commit, is granted and commits.
  SchedulerDriver& Commit(const AttemptId& id) {
    Send(CommitRequested{id});
    const GrantCommit grant = Only<GrantCommit>();
    EXPECT_EQ(grant.attempt, id);
    return Send(Committed{id, grant.epoch});
  }

  TimeMs now() const { return now_; }
  Scheduler& scheduler() { return scheduler_; }

 private:
  Scheduler scheduler_;
  Actions actions_;
  TimeMs now_ = 1'000;
};

/// Splits from 100 bytes on, and joins up to three partitions.
inline SchedulerOptions SmallPlans(std::uint64_t join_bytes_max = 50) {
  SchedulerOptions options;
  options.reduce_plan = {.split_bytes_min = 100,
                         .split_pieces_max = 2,
                         .split_slots_min = 2,
                         .maps_per_piece_min = 1,
                         .join_bytes_max = join_bytes_max,
                         .join_partitions_max = 3};
  return options;
}

inline AttemptId MapAttempt(JobId job, std::uint32_t task, std::uint32_t attempt) {
  return {job, TaskKind::kMap, task, attempt};
}
inline AttemptId ReduceAttempt(JobId job, std::uint32_t task, std::uint32_t attempt) {
  return {job, TaskKind::kReduce, task, attempt};
}

}  // namespace spillway
