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
    AbandonAttempt(index);
  }
}

void Scheduler::Machine::LookAtJob(JobState& job) {
  if (job.phase != JobPhase::kActive) return;
  if (job.announced < job.segments.log_size()) AnnounceToAll(job);
  TimeOut(job, job.running(TaskKind::kMap));
  // Before the last map is done a reduce may have nothing to do.
  if (job.maps_done())
    for (const TaskKind kind : kReadingKinds) TimeOut(job, job.running(kind));
  for (const TaskKind kind : kTaskKinds) Speculate(job, kind);
}

void Scheduler::Machine::TimeOut(JobState& job, AttemptList& list) {
  const std::uint64_t timeout_ms = job.options.task_timeout_ms;
  if (timeout_ms == 0) return;
  while (!list.empty() && job.phase == JobPhase::kActive) {
    const AttemptIndex index = list.front;
    if (attempts_[index].moved_ms + timeout_ms > now_) {
      WakeBy(attempts_[index].moved_ms + timeout_ms);
      return;
    }
    TimeOutAttempt(index);
  }
}

void Scheduler::Machine::CommitIfDone(JobState& job) {
  if (job.phase != JobPhase::kActive || !job.finals_done()) return;
  job.phase = JobPhase::kCommitting;
  // Maps and combines may still run again for segments that no reduce has asked for.
  StopAllOf(job, StopReason::kOtherWon);
  waiting_maps_ -= job.waiting(TaskKind::kMap).size();
  job.waiting(TaskKind::kMap).Clear();
  job.waiting(TaskKind::kCombine).Clear();
  Refresh(job);
  job.FillOutputs();
  Do(CommitJob{job.id, job.outputs});
}

void Scheduler::Machine::EndJob(JobState& job, Status status) {
  if (job.phase != JobPhase::kActive) return;
  job.phase = JobPhase::kEnding;
  job.end_status = std::move(status);
  waiting_maps_ -= job.waiting(TaskKind::kMap).size();
  for (const TaskKind kind : kTaskKinds) job.waiting(kind).Clear();
  StopAllOf(job, StopReason::kJobEnding);
  Refresh(job);
  MaybeOver(job);
}

void Scheduler::Machine::MaybeOver(JobState& job) {
  if (job.phase != JobPhase::kEnding || job.live > 0) return;
  job.phase = JobPhase::kOver;
  job.segments.Clear([&](WorkerIndex worker, std::uint32_t segments) {
    workers_[worker].segments -= segments;
    MaybeDrained(worker);
  });
  job.hashes.Clear();
  Do(JobEnded{job.id, job.end_status, job.tally});
  over_.push_back(job.id);
}

void Scheduler::Machine::EraseOverJobs() {
  for (const JobId id : over_) jobs_.erase(id);
  over_.clear();
}

}  // namespace spillway
