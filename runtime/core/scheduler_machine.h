// Scheduler::Machine: the state behind a Scheduler and the steps it takes. An event's handler
// (scheduler.cc) changes attempts and tasks through the few verbs of task_transitions.cc; when it
// is done, slot_assignment.cc fills the slots that are free; job_ending.cc ends jobs, and
// takeover.cc goes on from a journal. Private to the scheduler; not thread-safe.
//
// Kept true between steps:
//   - a task that is not done, of an active job, either waits or has a running attempt, or stands
//     behind another one: joined to it, or it lacks pieces (reduce_layout.h);
//   - a job's queue places, `holders_` and `waiting_maps_` agree with its tasks (see Refresh);
//   - a worker's slots_taken is its live attempts and its abandoned ones;
//   - what DumpTables shows follows from the journalled events and their times alone;
//   - a job that is ending has no running attempts, only stopping ones.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/core/attempt_table.h"
#include "runtime/core/job_state.h"
#include "runtime/core/scheduler.h"
#include "runtime/core/share_queue.h"
#include "runtime/core/worker_table.h"

namespace spillway {

class Scheduler::Machine {
 public:
  explicit Machine(const SchedulerOptions& options) : options_(options), workers_(places_) {}

  void Step(const Event& event, TimeMs now, Actions& actions);
  Status Replay(const Event& event, TimeMs now);

  const std::optional<TimeMs>& wake_ms() const { return wake_ms_; }
  bool HasWorker(WorkerId worker, std::uint64_t epoch) const {
    return workers_.Find(worker, epoch) != WorkerTable::kNone;
  }
  std::optional<WorkerId> WorkerOf(const AttemptId& attempt) const;
  std::uint32_t PartitionsOf(const AttemptId& attempt) const;
  std::vector<JobId> job_ids() const;
  std::optional<JobView> ViewJob(JobId id) const;
  std::optional<WorkerView> ViewWorker(WorkerId id) const;
  ClusterView ViewCluster() const;
  std::string DumpTables() const;

 private:
  // --- scheduler.cc: one handler per event.
  void On(const SubmitJob& event);
  void On(const CancelJob& event);
  void On(const JobCommitted& event);
  void On(const WorkerJoined& event);
  void On(const Heartbeat& event);
  void On(const WorkerLost& event);
  void On(const DrainWorker& event);
  void On(const AttemptProgress& event);
  void On(const AttemptDone& event);
  void On(const AttemptFailed& event);
  void On(const AttemptStopped& event);
  void On(const SegmentLost& event);
  void On(const CommitRequested& event);
  void On(const Committed& event);
  void On(const Tick& event);

  // --- takeover.cc: from a journal, and after lost sessions.
  void On(const WorkerResumed& event);
  void On(const TakenOver& event);
  void On(const ReducesPlanned& event);
  void On(const AttemptStarted& event);
  void On(const AttemptStopping& event);
  void On(const AttemptAbandoned& event);
  void TellAgain(AttemptIndex index);
  void DumpJob(const JobState& job, std::string& text) const;

  /// A map or combine attempt ended well: its segment counts, and its rivals stop.
  void TakeSegmentOf(AttemptIndex index);
  void CompleteMap(AttemptIndex index, const AttemptDone& event);
  void CompleteCombine(AttemptIndex index);
  /// A commit is that of all tasks that the attempt's stands for.
  void CompleteFinal(JobState& job, const AttemptId& id);
  /// Plans the reduces of a job whose maps are done, once.
  void CutReduceWork(JobState& job);
  /// Of an attempt that counts.
  void NoteDuration(AttemptIndex index);
  /// A running attempt ended in a way that its kind of task does not end.
  void RejectEnd(const AttemptId& id, const char* how);

  // --- task_transitions.cc: what happens to attempts, tasks, segments and workers.
  JobState* FindJob(JobId id);
  /// A live attempt, or kNoIndex.
  AttemptIndex FindAttempt(const AttemptId& id) const;
  /// Frees the slot of an attempt that was given up long ago; false when it is none of those.
  bool ReleaseAbandoned(const AttemptId& id);

  void StartAttempt(JobState& job, const AttemptId& id, WorkerIndex worker, bool backup);
  /// The task's next attempt.
  AttemptId NextAttempt(JobState& job, TaskKind kind, std::uint32_t task) const;
  /// Takes a running attempt off the running lists.
  void LeaveRunning(AttemptIndex index);
  void BeginStopping(AttemptIndex index);
  void StopAttemptFor(AttemptIndex index, StopReason reason);
  /// Stops a running attempt for want of progress, which is a failure of it.
  void TimeOutAttempt(AttemptIndex index);
  /// No longer waits for an attempt that is stopping; its slot stays taken.
  void AbandonAttempt(AttemptIndex index);
  void PreemptAttempt(AttemptIndex index);
  /// Stops all running attempts of the task.
  void StopRunningOf(JobState& job, const AttemptId& task, StopReason reason);
  void StopAllOf(JobState& job, StopReason reason);
  enum class SlotFate { kFree, kTaken };
  /// Forgets the attempt, running or stopping.
  void Release(AttemptIndex index, SlotFate fate);

  /// Puts the task among the waiting ones, when it is needed and nothing runs it.
  void Requeue(JobState& job, TaskKind kind, std::uint32_t task);
  void RemoveWaiting(JobState& job, TaskKind kind, std::uint32_t task);
  /// Brings the queues in line with the job. After every change of its tasks.
  void Refresh(JobState& job);

  void AddSegment(JobState& job, const SegmentRef& segment, WorkerIndex worker);
  /// The segment is gone; what wrote it runs again when the job still needs it.
  void LoseSegment(JobState& job, std::uint32_t segment);
  /// The piece of a split partition is not there any more.
  void LosePiece(JobState& job, std::uint32_t combine);
  void RemoveSegment(JobState& job, std::uint32_t map);
  void AnnounceTo(AttemptIndex index);
  void AnnounceToAll(JobState& job);
  /// Compares with the task's earlier attempts. The attempt has been released.
  void CheckHash(JobState& job, const AttemptDone& event);

  /// For a while the task runs on other workers, if there are any.
  void KeepAway(TaskTrouble& trouble, WorkerIndex worker);
  /// Judges a failure of an attempt that no longer runs, and acts on it.
  void FailAttempt(JobState& job, const AttemptFailed& failure, WorkerIndex worker);
  /// The partitions of a reduce that failed are reduced one by one: it is one of them that fails,
  /// or there is too much in all of them for one attempt.
  void Dissolve(JobState& job, std::uint32_t reduce);
  /// Nobody needs the pieces of the partition any more.
  void StopCombinesOf(JobState& job, const ReduceLayout::Split& split);
  /// What waits of the job's plan is done without it; false when there was nothing.
  bool DropPlan(JobState& job);
  void BlameWorker(WorkerIndex worker, const AttemptId& attempt);
  /// Whether there is no usable worker that the task has not failed on.
  bool FailedOnAllUsable(const JobState& job, const TaskTrouble& trouble) const;
  /// The same for workers that are there at all. A job's fate may depend on this, but not on who is
  /// set aside: that follows from other jobs too, which a journal forgets when they end.
  bool FailedOnAllPresent(const JobState& job, const TaskTrouble& trouble) const;
  void LoseWorker(WorkerIndex worker);
  /// A worker that failed often is better than none.
  void BringBackIfNoneIsLeft();
  void MaybeDrained(WorkerIndex worker);

  // --- slot_assignment.cc: who runs next.
  void AssignSlots();
  /// When only workers are left that do not know of plans, jobs go on without theirs.
  void DropPlansNobodyRuns();
  /// Starts all that waits of jobs whose tasks need each other.
  void AssignGangs();
  /// The usable worker that has the fewest attempts for its slots, or kNone. One on which the map
  /// task failed only when there is no other: it would use up its attempts there in a moment.
  WorkerIndex LeastTakenFor(JobState& job, std::uint32_t map);
  bool StartOn(WorkerIndex worker);
  /// Starts something of `jobs` that nothing but a slot is missing for.
  bool StartOneOf(const ShareQueue& jobs, WorkerIndex worker);
  bool StartWaiting(JobState& job, TaskKind kind, WorkerIndex worker);
  std::uint32_t PickWaiting(JobState& job, TaskKind kind, WorkerIndex worker);
  bool MayStart(JobState& job, TaskKind kind, std::uint32_t task, WorkerIndex worker);
  bool Knows(WorkerIndex worker, const JobState& job, TaskKind kind, std::uint32_t task) const;
  bool Avoids(JobState& job, TaskKind kind, std::uint32_t task, WorkerIndex worker);
  void PreemptForMaps();
  /// Waiting ones that older workers do not know.
  std::uint64_t MapsForNewWorkers() const;
  void Speculate(JobState& job, TaskKind kind);
  /// How long the job's other attempts of this one's kind need, by their rates; 0: unknown.
  double PeersMeanMs(JobState& job, AttemptIndex index) const;
  WorkerIndex FreeWorkerBeside(WorkerIndex other);

  // --- job_ending.cc: time-outs and ends.
  void ExpireLeases();
  void AbandonStubborn();
  void LookAtJob(JobState& job);
  void TimeOut(JobState& job, AttemptList& list);
  void CommitIfDone(JobState& job);
  /// Ends an active job with `status`; its attempts are stopped first.
  void EndJob(JobState& job, Status status);
  void MaybeOver(JobState& job);
  void EraseOverJobs();

  template <class T>
  void Do(T action) {
    actions_->emplace_back(std::move(action));
  }
  /// For messages: " on worker 3", or nothing where there is only one.
  std::string OnWorker(WorkerId worker) const {
    return workers_.alive_workers() > 1 ? " on worker " + std::to_string(worker) : "";
  }

  void Warn(WarningKind kind, const AttemptId& attempt, WorkerId worker, std::string text) {
    Do(Warning{kind, attempt, worker, std::move(text)});
  }
  void WakeBy(TimeMs time) {
    if (!wake_ms_.has_value() || time < *wake_ms_) wake_ms_ = time;
  }

  const SchedulerOptions options_;
  PlaceNames places_;
  WorkerTable workers_;
  AttemptTable attempts_;
  AttemptList stopping_{AttemptHook::kMoved};
  /// Attempts that never answered StopAttempt, and whose slot they hold.
  std::map<AttemptId, WorkerIndex> abandoned_;

  std::map<JobId, std::unique_ptr<JobState>> jobs_;
  std::uint64_t submissions_ = 0;
  std::vector<JobId> over_;  // JobEnded said in this step.
  ShareQueue wants_slot_;
  ShareQueue wants_small_slot_;  // The small jobs of wants_slot_.
  ShareQueue wants_idle_slot_;
  std::map<std::uint64_t, JobState*> holders_;  // Jobs that hold slots back, by submission.
  std::uint64_t waiting_maps_ = 0;              // Of all active jobs.
  std::map<std::uint64_t, JobState*> gangs_;    // Those with a task that waits, by submission.

  std::optional<TimeMs> wake_ms_;  // Never later than the next thing due.
  TimeMs now_ = 0;
  bool replaying_ = false;
  Status replay_status_;
  Actions dropped_;  // Of a replay.
  Actions* actions_ = nullptr;
};

}  // namespace spillway
