// How a scheduler comes to stand where a former one stood, and is brought in line with workers
// that were there before.
#include <algorithm>
#include <set>
#include <utility>

#include "mapreduce/base/check.h"
#include "runtime/core/scheduler_machine.h"

namespace spillway {
namespace {

constexpr std::uint32_t kAttemptFloorStep = 1'000;

}  // namespace

Status Scheduler::Machine::Replay(const Event& event, TimeMs now) {
  SPILLWAY_CHECK_GE(now, now_);
  now_ = now;
  replaying_ = true;
  workers_.BringBack(now_);
  dropped_.clear();
  actions_ = &dropped_;
  std::visit([this](const auto& e) { On(e); }, event);
  actions_ = nullptr;
  return std::exchange(replay_status_, OkStatus());
}

void Scheduler::Machine::On(const ReducesPlanned& event) {
  JobState* job = FindJob(event.job);
  if (job != nullptr && job->layout.applied() && event.plan.empty()) {
    DropPlan(*job);
    return;
  }
  if (job != nullptr && job->phase == JobPhase::kActive && !job->layout.applied() &&
      ReduceLayout::Fits(event.plan, job->total(TaskKind::kMap), job->total(TaskKind::kReduce))) {
    job->Apply(event.plan);
    Refresh(*job);
    return;
  }
  replay_status_ =
      DataLoss("the journal says that the reduces of job " + std::to_string(event.job) +
               " were planned, which does not follow from what it says before");
}

void Scheduler::Machine::On(const AttemptStarted& event) {
  const AttemptId& id = event.attempt;
  JobState* job = FindJob(id.job);
  const WorkerIndex worker = workers_.Find(event.worker);
  const bool possible =
      job != nullptr && job->phase == JobPhase::kActive && id.task < job->total(id.kind) &&
      !job->task(id).done && id == NextAttempt(*job, id.kind, id.task) &&
      worker != WorkerTable::kNone && workers_[worker].alive &&
      (job->options.gang || workers_[worker].slots_taken < workers_[worker].slots);
  if (possible) {
    StartAttempt(*job, id, worker, event.backup);
    return;
  }
  replay_status_ =
      DataLoss("the journal says that " + AttemptText(id) + " of job " + std::to_string(id.job) +
               " was started on worker " + std::to_string(event.worker) +
               ", which does not follow from what it says before");
}

void Scheduler::Machine::On(const AttemptStopping& event) {
  const AttemptIndex index = FindAttempt(event.attempt);
  // WorkerResumed has stops said again.
  if (index == kNoIndex || attempts_[index].stopping) return;
  if (event.timed_out) {
    TimeOutAttempt(index);
  } else {
    PreemptAttempt(index);
  }
}

void Scheduler::Machine::On(const AttemptAbandoned& event) {
  const AttemptIndex index = FindAttempt(event.attempt);
  if (index != kNoIndex && attempts_[index].stopping) AbandonAttempt(index);
}

void Scheduler::Machine::On(const TakenOver&) {
  workers_.SendAway(now_);
  for (AttemptIndex i = stopping_.front; i != kNoIndex; i = attempts_.After(stopping_, i))
    attempts_[i].moved_ms = now_;
  for (auto& [id, job] : jobs_) {
    if (job->phase == JobPhase::kOver) continue;
    job->attempt_floor += kAttemptFloorStep;
    for (const TaskKind kind : kTaskKinds) {
      const AttemptList& running = job->running(kind);
      for (AttemptIndex i = running.front; i != kNoIndex; i = attempts_.After(running, i))
        attempts_[i].moved_ms = now_;
    }
  }
  if (replaying_) return;
  dropped_ = Actions();
  for (auto& [id, job] : jobs_) {
    if (job->phase == JobPhase::kCommitting) Do(CommitJob{id, job->outputs});
    if (job->phase == JobPhase::kOver) Do(JobEnded{id, job->end_status, job->tally});
  }
  // The next tick finds out what time the rest is due.
  wake_ms_ = now_;
}

void Scheduler::Machine::On(const WorkerResumed& event) {
  const WorkerIndex index = workers_.Find(event.worker, event.epoch);
  if (index == WorkerTable::kNone) return;
  workers_.Renew(index, now_);
  workers_.ComeBack(index);
  if (options_.lease_ms != 0) WakeBy(now_ + options_.lease_ms);

  std::set<AttemptId> unknown(event.attempts.begin(), event.attempts.end());
  std::vector<AttemptIndex> kept;
  std::vector<AttemptId> gone;
  const AttemptList& live = workers_[index].attempts;
  for (AttemptIndex i = live.front; i != kNoIndex; i = attempts_.After(live, i)) {
    if (unknown.erase(attempts_[i].id) > 0) {
      kept.push_back(i);
    } else {
      gone.push_back(attempts_[i].id);
    }
  }
  for (const auto& [id, worker] : abandoned_)
    if (worker == index && !unknown.contains(id)) gone.push_back(id);

  for (const AttemptId& id : gone) On(AttemptStopped{id});
  for (const AttemptIndex i : kept) TellAgain(i);
  for (const AttemptId& id : unknown) Do(StopAttempt{id, event.worker, StopReason::kUnknown});
  if (workers_[index].drained) Do(WorkerDrained{event.worker, event.epoch});
}

void Scheduler::Machine::TellAgain(AttemptIndex index) {
  Attempt& attempt = attempts_[index];
  JobState& job = *attempt.job;
  const WorkerId worker = workers_[attempt.worker].id;
  attempt.moved_ms = now_;
  if (attempt.stopping) {
    attempts_.MoveToBack(stopping_, index);
    Do(StopAttempt{attempt.id, worker, attempt.stop_reason});
    return;
  }
  attempts_.MoveToBack(job.running(attempt.id.kind), index);
  if (attempt.id.kind != TaskKind::kMap) {
    attempt.announced = 0;
    AnnounceTo(index);
  }
  const TaskState& task = job.task(attempt.id);
  if (task.granted == attempt.id.attempt) Do(GrantCommit{attempt.id, worker, task.commit_epoch});
}

}  // namespace spillway
