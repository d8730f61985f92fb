// Time-outs, and how jobs end.
#include <utility>

#include "runtime/core/scheduler_machine.h"

namespace spillway {

void Scheduler::Machine::ExpireLeases() {
  if (options_.lease_ms == 0) return;
  for (;;) {
    const WorkerIndex index = workers_.least_recent();
    if (index == WorkerTable::kNone) return;
    const Worker& worker = workers_[index];
    if (worker.heard_ms + options_.lease_ms > now_) {
      WakeBy(worker.heard_ms + options_.lease_ms);
      return;
    }
    Do(WorkerExpired{worker.id, worker.epoch});
    LoseWorker(index);
  }
}

void Scheduler::Machine::AbandonStubborn() {
  while (!stopping_.empty()) {
    const AttemptIndex index = stopping_.front;
    const Attempt& attempt = attempts_[index];
    if (attempt.moved_ms + options_.stop_timeout_ms > now_) {
      WakeBy(attempt.moved_ms + options_.stop_timeout_ms);
      return;
    }
    const AttemptId id = attempt.id;
    JobState& job = *attempt.job;
    Warn(WarningKind::kAttemptAbandoned, id, workers_[attempt.worker].id,
         AttemptText(id) + " did not stop within " + std::to_string(options_.stop_timeout_ms) +
             " ms; it keeps its slot until its worker restarts");
    abandoned_.emplace(id, attempt.worker);
    Release(index, SlotFate::kTaken);
    Requeue(job, id.kind, id.task);
    Refresh(job);
  }
}

void Scheduler::Machine::LookAtJob(JobState& job) {
  if (job.phase != JobPhase::kActive) return;
  if (job.announced < job.segments.log_size()) AnnounceToAll(job);
  TimeOut(job, job.running(TaskKind::kMap));
  // Before the last map is done a reduce may have nothing to do.
  if (job.maps_done()) TimeOut(job, job.running(TaskKind::kReduce));
  Speculate(job);
}

void Scheduler::Machine::TimeOut(JobState& job, AttemptList& list) {
  const std::uint64_t timeout_ms = job.options.task_timeout_ms;
  if (timeout_ms == 0) return;
  while (!list.empty() && job.phase == JobPhase::kActive) {
    const AttemptIndex index = list.front;
    const AttemptId id = attempts_[index].id;
    const WorkerIndex worker = attempts_[index].worker;
    if (attempts_[index].moved_ms + timeout_ms > now_) {
      WakeBy(attempts_[index].moved_ms + timeout_ms);
      return;
    }
    const std::string what = "no progress for " + std::to_string(timeout_ms) + " ms";
    Warn(WarningKind::kTimeout, id, workers_[worker].id, AttemptText(id) + " made " + what);
    StopAttemptFor(index, StopReason::kTimeout);
    FailAttempt(
        job,
        {id, Aborted(what + ": it hangs, or needs a longer time-out (--timeout)"), std::nullopt},
        worker);
  }
}

void Scheduler::Machine::CommitIfDone(JobState& job) {
  if (job.phase != JobPhase::kActive || !job.finals_done()) return;
  job.phase = JobPhase::kCommitting;
  // Maps may still run again for segments that no reduce has asked for.
  StopAllOf(job, StopReason::kOtherWon);
  waiting_maps_ -= job.waiting(TaskKind::kMap).size();
  job.waiting(TaskKind::kMap).Clear();
  Refresh(job);
  job.FillOutputs();
  Do(CommitJob{job.id, job.outputs});
}

void Scheduler::Machine::EndJob(JobState& job, Status status) {
  if (job.phase != JobPhase::kActive) return;
  job.phase = JobPhase::kEnding;
  job.end_status = std::move(status);
  waiting_maps_ -= job.waiting(TaskKind::kMap).size();
  for (const TaskKind kind : {TaskKind::kMap, TaskKind::kReduce}) job.waiting(kind).Clear();
  StopAllOf(job, StopReason::kJobEnding);
  Refresh(job);
  MaybeOver(job);
}

void Scheduler::Machine::MaybeOver(JobState& job) {
  if (job.phase != JobPhase::kEnding || job.live > 0) return;
  job.phase = JobPhase::kOver;
  for (std::uint32_t map = 0; map < job.total(TaskKind::kMap); ++map) {
    if (!job.segments.has(map)) continue;
    Do(DiscardSegment{job.id, job.segments.ref(map)});
    RemoveSegment(job, map);
  }
  Do(JobEnded{job.id, job.end_status, job.tally});
  over_.push_back(job.id);
}

void Scheduler::Machine::EraseOverJobs() {
  for (const JobId id : over_) jobs_.erase(id);
  over_.clear();
}

}  // namespace spillway
