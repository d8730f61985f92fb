// JobState: one job's tasks, what waits, what is done, and which segments exist. It keeps its own
// counts in order; what follows from a change is the scheduler's decision. Owned by the
// scheduler; not thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "runtime/core/actions.h"
#include "runtime/core/attempt_table.h"
#include "runtime/core/events.h"
#include "runtime/core/failure_policy.h"
#include "runtime/core/index_set.h"
#include "runtime/core/large_first.h"
#include "runtime/core/output_hashes.h"
#include "runtime/core/reduce_layout.h"
#include "runtime/core/reduce_plan.h"
#include "runtime/core/segment_ledger.h"
#include "runtime/core/share_queue.h"
#include "runtime/core/worker_table.h"

namespace spillway {

struct TaskState {
  AttemptIndex first_live = kNoIndex;  ///< Chain of live attempts, stopping ones included.
  std::uint32_t attempts = 0;          ///< Started so far: the next one's number.
  std::uint32_t granted = kNoAttempt;  ///< May commit, or has.
  std::uint32_t commit_epoch = 0;      ///< Grants so far.
  std::uint16_t running = 0;           ///< Live attempts that are not stopping.
  bool done = false;
};

enum class JobPhase : std::uint8_t {
  kActive,
  kCommitting,  ///< CommitJob went out.
  kEnding,      ///< Its end is decided; attempts are still stopping.
  kOver,        ///< JobEnded was said.
};

/// Map tasks by a place that holds their input.
class PlaceQueue {
 public:
  void Add(std::uint32_t task) {
    waiting_.Grow(static_cast<std::uint32_t>(tasks_.size()) + 1);
    waiting_.Insert(static_cast<std::uint32_t>(tasks_.size()));
    tasks_.push_back(task);
  }

  /// The first task that still waits, IndexSet::kNone when there is none. Who does not is
  /// forgotten: a task that waits again has no preferred place.
  std::uint32_t First(const IndexSet& waiting) {
    for (std::uint32_t i = waiting_.Next(0); i != IndexSet::kNone; i = waiting_.Next(i)) {
      if (waiting.contains(tasks_[i])) return tasks_[i];
      waiting_.Erase(i);
    }
    return IndexSet::kNone;
  }

 private:
  std::vector<std::uint32_t> tasks_;
  IndexSet waiting_;  // Positions in tasks_.
};

class JobState {
 public:
  JobState(const SubmitJob& submitted, std::uint64_t submission, PlaceNames& places);

  const JobId id;
  const std::uint64_t submission;  ///< Jobs that came before have smaller ones.
  const JobOptions options;

  JobPhase phase = JobPhase::kActive;
  Status end_status;  ///< Of a job that is ending.
  JobTally tally;

  std::vector<TaskState>& tasks(TaskKind kind) { return tasks_[Slot(kind)]; }
  const std::vector<TaskState>& tasks(TaskKind kind) const { return tasks_[Slot(kind)]; }
  TaskState& task(const AttemptId& attempt) { return tasks(attempt.kind)[attempt.task]; }
  std::uint32_t total(TaskKind kind) const {
    return static_cast<std::uint32_t>(tasks(kind).size());
  }

  IndexSet& waiting(TaskKind kind) { return waiting_[Slot(kind)]; }
  const IndexSet& waiting(TaskKind kind) const { return waiting_[Slot(kind)]; }
  AttemptList& running(TaskKind kind) { return running_[Slot(kind)]; }
  std::uint32_t& done(TaskKind kind) { return done_[Slot(kind)]; }
  std::uint32_t done(TaskKind kind) const { return done_[Slot(kind)]; }
  std::uint32_t running_count(TaskKind kind) const { return running_[Slot(kind)].size; }

  /// Running attempts by the time they started.
  AttemptList& starts(TaskKind kind) { return starts_[Slot(kind)]; }
  /// How many of them are backups.
  std::uint32_t& backups(TaskKind kind) { return backups_[Slot(kind)]; }
  std::uint32_t live = 0;           ///< Attempts that hold a slot.
  std::uint32_t attempt_floor = 0;  ///< The smallest number of attempts to come; see TakenOver.

  /// The kind of task whose output is the job's.
  TaskKind final_kind() const {
    return tasks(TaskKind::kReduce).empty() ? TaskKind::kMap : TaskKind::kReduce;
  }
  bool maps_done() const { return done(TaskKind::kMap) == total(TaskKind::kMap); }
  bool finals_done() const { return done(final_kind()) == total(final_kind()); }

  /// It has work that nothing but a free slot is missing for.
  bool wants_slot() {
    if (phase != JobPhase::kActive) return false;
    if (!maps_done()) return !waiting(TaskKind::kMap).empty();
    return !waiting(TaskKind::kReduce).empty() || !waiting(TaskKind::kCombine).empty();
  }
  /// It has reduces that could fetch while its last maps run.
  bool wants_idle_slot() {
    return phase == JobPhase::kActive && !maps_done() && waiting(TaskKind::kMap).empty() &&
           done(TaskKind::kMap) >= slow_start_maps_ && !waiting(TaskKind::kReduce).empty();
  }
  /// It has tasks that hold slots without being able to finish.
  bool holds_back_slots() const {
    return phase == JobPhase::kActive && !maps_done() &&
           running_count(TaskKind::kReduce) + running_count(TaskKind::kCombine) > 0;
  }

  /// A waiting reduce that should start before the others, or IndexSet::kNone.
  std::uint32_t FirstLargeReduce();
  LargeFirst large_first;

  /// How the reduce work is cut; made when all maps are done, once.
  ReducePlan PlanReduces(std::uint32_t slots, const ReducePlanOptions& defaults) const;
  void Apply(const ReducePlan& plan);
  ReduceLayout layout;
  /// The partition may still be split, and should not be started before its maps are done.
  bool HoldsBack(std::uint32_t reduce, std::uint32_t slots,
                 const ReducePlanOptions& defaults) const;
  /// Whether the task can be started as far as others than maps are concerned: a reduce of a split
  /// partition needs all its pieces, a combine is for a reduce that is not done.
  bool MayWait(TaskKind kind, std::uint32_t task) {
    if (kind == TaskKind::kCombine) {
      const ReduceLayout::Split& its = layout.SplitOfCombine(task);
      return !its.whole && !tasks(TaskKind::kReduce)[its.partition].done;
    }
    const ReduceLayout::Split* split = kind == TaskKind::kReduce ? layout.SplitOf(task) : nullptr;
    return split == nullptr || split->ready();
  }

  /// A waiting map whose input lies at the place, or IndexSet::kNone.
  std::uint32_t FirstAt(std::uint32_t place);

  SegmentLedger segments;
  OutputHashes hashes;
  std::uint32_t announced = 0;  ///< Up to here in the log, by the last general announcement.

  /// Null for a task that never had any.
  const TaskTrouble* FindTrouble(TaskKind kind, std::uint32_t task) const;
  TaskTrouble& Trouble(TaskKind kind, std::uint32_t task) { return troubles_[{kind, task}]; }

  /// How long attempts took that counted.
  struct Durations {
    std::uint64_t sum_ms = 0;
    std::uint32_t samples = 0;
  };
  Durations& durations(TaskKind kind) { return durations_[Slot(kind)]; }
  TimeMs maps_done_ms = 0;  ///< When the last map was done, or was done again.
  /// When the attempt had all it needed to work: an early reduce waits for maps first.
  TimeMs WorkBegan(const Attempt& attempt) const {
    if (attempt.id.kind == TaskKind::kMap) return attempt.started_ms;
    return attempt.started_ms < maps_done_ms ? maps_done_ms : attempt.started_ms;
  }

  /// What CommitJob names; filled when all final tasks have committed.
  std::vector<CommittedOutput> outputs;
  void FillOutputs();

  ShareQueue::Spot slot_spot, small_spot, idle_spot;  ///< Owned by the scheduler's queues.

 private:
  ReduceLoads LoadsFor(std::uint32_t slots) const;
  ReducePlanOptions PlanOptions(const ReducePlanOptions& defaults) const;

  static constexpr std::size_t kKinds = std::size(kTaskKinds);
  static std::size_t Slot(TaskKind kind) { return static_cast<std::size_t>(kind); }

  std::array<std::vector<TaskState>, kKinds> tasks_;
  std::array<IndexSet, kKinds> waiting_;
  std::array<AttemptList, kKinds> running_{AttemptList{AttemptHook::kMoved},
                                           AttemptList{AttemptHook::kMoved},
                                           AttemptList{AttemptHook::kMoved}};
  std::array<AttemptList, kKinds> starts_{AttemptList{AttemptHook::kStarted},
                                          AttemptList{AttemptHook::kStarted},
                                          AttemptList{AttemptHook::kStarted}};
  std::array<std::uint32_t, kKinds> done_{};
  std::array<std::uint32_t, kKinds> backups_{};
  std::array<Durations, kKinds> durations_{};
  std::uint32_t slow_start_maps_ = 0;
  std::uint32_t ranked_maps_ = 0;  ///< Done when large_first was ranked.
  std::map<std::uint32_t, PlaceQueue> places_;
  std::map<std::pair<TaskKind, std::uint32_t>, TaskTrouble> troubles_;
};

}  // namespace spillway
