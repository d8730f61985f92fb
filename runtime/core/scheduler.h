// Scheduler: decides which attempt runs where, which one counts, and when a job is over. It is a
// pure state machine: Step(event, now) appends actions. It reads no clock, starts no thread, and
// given the same events at the same times it does the same. One thread at a time; the embedded
// runner and the network coordinator drive the same code.
//
// How to drive it
//
//   Actions actions;
//   Scheduler scheduler(SchedulerOptions{});
//   for (;;) {
//     <wait for the next event, at most until scheduler.next_tick_ms(), then send Tick>
//     actions.clear();
//     scheduler.Step(event, now_ms, actions);
//     for (const Action& action : actions) <carry it out, in this order>
//   }
//
// Workers. WorkerJoined{id, epoch, slots} brings one; Heartbeat renews its lease (lease_ms 0: the
// embedded runner has no leases); WorkerLost, a lease that runs out, or the same id with a greater
// epoch ends it. What it ran is started elsewhere and does not count as failed; the segments that
// it kept are computed again as long as some reduce may need them.
//
// Attempts. Every StartMap or StartReduce takes a slot of its worker and holds it until the attempt
// ends. An attempt ends exactly once, by one of these events:
//   AttemptDone       map, combine: its segment is committed in the worker's store;
//   Committed         reduce (map-only: map): it asked CommitRequested, was told GrantCommit, and
//                     made its output durable under its attempt's name;
//   AttemptFailed     it failed by itself: bad record, exception, crash, disk;
//   AttemptStopped    it was told StopAttempt or RefuseCommit (or its worker stopped it);
//   SegmentLost       with ended = true: a reduce or combine that cannot go on without it.
// After StopAttempt any of them may still come, because it raced; all free the slot, and the
// scheduler discards a segment that came too late. An attempt that does not answer StopAttempt
// within stop_timeout_ms is abandoned: the job goes on without it, its slot stays taken until the
// worker restarts or the attempt ends after all. (A shell that cannot restart its worker gives up
// when ViewCluster() shows no other slot.)
//
// Map to reduce. StartReduce may come while maps still run: early, on slots that would be idle. The
// reduce is given segments by SegmentsAvailable, in batches, and has all it needs once it has one
// of each number in StartReduce.sources. It merges them in the order of map tasks, not of arrival.
// A segment that cannot be read is reported by SegmentLost; the map runs again, and every running
// reduce that was told of the old one hears SegmentInvalidated and later the new one. When maps
// need slots and none is free, waiting reduces are stopped (kPreempted) and started again later.
//
// Cut reduces. When all maps are done, the reduce work is planned, once, by what each
// partition has (reduce_plan.h). A reduce task may then stand for several partitions: its commit is
// that of all of them, and after a failure each stands for itself again. One of a partition that is
// split waits for combine tasks, which read map outputs as reduces do, and write segments as maps
// do; when one of these is lost, the reduce is stopped (kPreempted) until it is there again, so
// that nobody holds a slot that it needs.
//
// The end. When each reduce has committed (each map, without reduces), CommitJob names the winning
// attempts; the shell publishes them at once and answers JobCommitted. A job fails when a task
// fails for good: its attempts are stopped, then their segments discarded, then JobEnded names the
// cause, the task and the attempt. JobEnded is the last that is heard of any job; until it comes,
// keep feeding events.
//
// Journal. A journal of its events is a journal of its state. Ticks, heartbeats and progress are
// not kept, and what was decided by them is kept instead (journalled.h):
//
//   scheduler.Step(event, now, actions);
//   if (IsJournalled(event)) <append event, now>
//   for (const Action& action : actions)
//     if (auto decision = DecisionOf(action)) <append *decision, now>
//   <make the turn durable, or not; then carry out the actions>
//
// A new coordinator gives a new scheduler each event, in order and with its time, by Replay; the
// tables then agree with the former ones. Its clock goes on from the last of these times. It says
// TakenOver, and goes on.
//
// Cost. An event costs O(log n) at most and usually O(1), whatever the number of tasks and workers;
// only what grows by itself is linear: announcing segments to reduces, a lost worker's segments,
// TakenOver. Tick looks at each job once. A task takes about 80 bytes.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "runtime/core/actions.h"
#include "runtime/core/attempt_id.h"
#include "runtime/core/events.h"

namespace spillway {

/// A worker can run so many tasks of gangs for each slot: its executors have threads for them.
inline constexpr std::uint32_t kGangTasksPerSlotMax = 4;

struct SchedulerOptions {
  std::uint64_t lease_ms = 0;              ///< Without a heartbeat a worker is lost. 0: never.
  std::uint64_t stop_timeout_ms = 30'000;  ///< Then a stopping attempt is abandoned.
  std::uint64_t tick_ms = 100;             ///< Announcements are held back no longer than this.
  std::uint32_t segment_batch = 64;        ///< Announced at once while maps still run.
  /// A task keeps away from a worker that it failed on for this long, while there are others.
  std::uint64_t avoid_ms = 5'000;
  std::uint32_t worker_failures_max = 5;  ///< In a row; then the worker is set aside.
  std::uint64_t set_aside_ms = 60'000;
  double speculation_factor = 1.5;  ///< Of the mean duration of a task of its kind.
  /// Attempts that one Step starts; the rest follow at the Tick that is due at once then, so that
  /// a large job on many workers holds nothing up.
  std::uint32_t starts_per_step_max = 256;
  /// Tasks of gangs on a worker, for each of its slots: what it can run at once.
  std::uint32_t gang_tasks_per_slot_max = kGangTasksPerSlotMax;
  ReducePlanOptions reduce_plan = {};

  /// Every limit is reached within a few events.
  static SchedulerOptions Tiny() {
    return {.lease_ms = 50,
            .stop_timeout_ms = 20,
            .tick_ms = 5,
            .segment_batch = 2,
            .avoid_ms = 20,
            .worker_failures_max = 2,
            .set_aside_ms = 30,
            .speculation_factor = 1.5,
            .starts_per_step_max = 2,
            .reduce_plan = ReducePlanOptions::Tiny()};
  }
};

/// A job as a progress display sees it.
struct JobView {
  std::uint32_t maps_done = 0, maps_total = 0, maps_running = 0;
  std::uint32_t reduces_done = 0, reduces_total = 0, reduces_running = 0;
  std::uint32_t combines_done = 0, combines_total = 0, combines_running = 0;
  std::uint32_t joined_partitions = 0;  ///< Whose parts come with the commits of others.
  bool committing = false;              ///< CommitJob went out.
  bool ending = false;                  ///< Failed or cancelled; waits for its attempts to stop.
  JobTally tally;
  /// What the map tasks that are done, and told it, have for each partition, about. Empty before
  /// the first; valid until the next Step.
  std::span<const std::uint64_t> partition_bytes;
};

struct ClusterView {
  std::uint32_t workers = 0;  ///< Alive, draining ones included.
  std::uint32_t slots = 0;
  std::uint32_t slots_taken = 0;
  std::uint32_t slots_abandoned = 0;  ///< Of those taken: by attempts that do not stop.
  std::uint32_t jobs = 0;
};

struct WorkerView {
  std::uint64_t epoch = 0;
  std::uint32_t slots = 0;
  std::uint32_t slots_taken = 0;
  bool draining = false;
  bool set_aside = false;  ///< It failed often; given nothing for a while.
  bool away = false;       ///< Known from a journal, and not heard of since.
};

class Scheduler {
 public:
  explicit Scheduler(const SchedulerOptions& options);
  ~Scheduler();
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  /// Takes note of `event` and appends what is to be done. `now` never goes back.
  void Step(const Event& event, TimeMs now, Actions& actions);

  /// Applies an event of a former scheduler's journal: no slot is assigned, actions are dropped.
  /// `now` is the time of its Step; a journal that kept no times gives any that never goes back,
  /// and loses for how long workers are set aside. After the last one, Step(TakenOver).
  /// DataLoss: the event cannot have followed those before it.
  Status Replay(const Event& event, TimeMs now);

  /// When the next Tick is due, by the clock of the last Step; none when nothing waits for time.
  /// A later Tick delays, an earlier one does no harm.
  std::optional<TimeMs> next_tick_ms() const;

  /// Whether this process counts. A worker that talks and is not known must join again, with a
  /// greater epoch.
  bool HasWorker(WorkerId worker, std::uint64_t epoch) const;

  /// The worker that runs the attempt, stopping ones included. What a worker says of attempts that
  /// are not its own is not to be passed on.
  std::optional<WorkerId> WorkerOf(const AttemptId& attempt) const;

  /// How many parts a commit of the attempt has; 1 for one that is not known.
  std::uint32_t PartitionsOf(const AttemptId& attempt) const;

  /// Jobs that have not ended, in order.
  std::vector<JobId> job_ids() const;
  std::optional<JobView> ViewJob(JobId job) const;
  /// Of a living worker.
  std::optional<WorkerView> ViewWorker(WorkerId worker) const;
  ClusterView ViewCluster() const;

  /// Everything that a replay restores, a line for each job, task, attempt and worker: for tests
  /// that compare two schedulers, and for people who look for a bug.
  std::string DumpTables() const;

 private:
  class Machine;
  std::unique_ptr<Machine> machine_;
};

}  // namespace spillway
