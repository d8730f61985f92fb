#include "runtime/core/scheduler.h"

#include <algorithm>
#include <utility>

#include "mapreduce/base/check.h"
#include "runtime/core/scheduler_machine.h"

namespace spillway {

Scheduler::Scheduler(const SchedulerOptions& options)
    : machine_(std::make_unique<Machine>(options)) {}
Scheduler::~Scheduler() = default;

void Scheduler::Step(const Event& event, TimeMs now, Actions& actions) {
  machine_->Step(event, now, actions);
}

std::optional<TimeMs> Scheduler::next_tick_ms() const { return machine_->wake_ms(); }

bool Scheduler::HasWorker(WorkerId worker, std::uint64_t epoch) const {
  return machine_->HasWorker(worker, epoch);
}

Status Scheduler::Replay(const Event& event, TimeMs now) { return machine_->Replay(event, now); }

std::optional<WorkerId> Scheduler::WorkerOf(const AttemptId& attempt) const {
  return machine_->WorkerOf(attempt);
}

std::uint32_t Scheduler::PartitionsOf(const AttemptId& attempt) const {
  return machine_->PartitionsOf(attempt);
}

std::vector<JobId> Scheduler::job_ids() const { return machine_->job_ids(); }
std::optional<JobView> Scheduler::ViewJob(JobId job) const { return machine_->ViewJob(job); }
std::optional<WorkerView> Scheduler::ViewWorker(WorkerId worker) const {
  return machine_->ViewWorker(worker);
}
std::string Scheduler::DumpTables() const { return machine_->DumpTables(); }
ClusterView Scheduler::ViewCluster() const { return machine_->ViewCluster(); }

namespace {

bool IsDecision(const Event& event) {
  return std::holds_alternative<AttemptStarted>(event) ||
         std::holds_alternative<ReducesPlanned>(event) ||
         std::holds_alternative<AttemptStopping>(event) ||
         std::holds_alternative<AttemptAbandoned>(event);
}

}  // namespace

void Scheduler::Machine::Step(const Event& event, TimeMs now, Actions& actions) {
  SPILLWAY_CHECK_GE(now, now_);
  SPILLWAY_CHECK(!IsDecision(event));
  // Until then the workers that it knows are a memory.
  SPILLWAY_CHECK(!replaying_ || std::holds_alternative<TakenOver>(event));
  replaying_ = false;
  now_ = now;
  workers_.BringBack(now_);
  actions_ = &actions;
  std::visit([this](const auto& e) { On(e); }, event);
  EraseOverJobs();
  AssignSlots();
  actions_ = nullptr;
}

// --- Jobs.

void Scheduler::Machine::On(const SubmitJob& event) {
  if (jobs_.contains(event.job)) return;
  auto& job = *jobs_.emplace(event.job, std::make_unique<JobState>(event, submissions_++, places_))
                   .first->second;
  for (const TaskKind kind : kTaskKinds) job.waiting(kind).Fill();
  waiting_maps_ += job.waiting(TaskKind::kMap).size();
  Refresh(job);
  CommitIfDone(job);
}

void Scheduler::Machine::On(const CancelJob& event) {
  JobState* job = FindJob(event.job);
  if (job == nullptr || job->phase != JobPhase::kActive) return;
  EndJob(*job, Cancelled("the job was cancelled: " + event.reason));
}

void Scheduler::Machine::On(const JobCommitted& event) {
  JobState* job = FindJob(event.job);
  if (job == nullptr || job->phase != JobPhase::kCommitting) return;
  job->phase = JobPhase::kEnding;
  job->end_status = event.status.Annotate("the job's output could not be published");
  MaybeOver(*job);
}

// --- Workers.

void Scheduler::Machine::On(const WorkerJoined& event) {
  const WorkerIndex known = workers_.Find(event.worker);
  if (known != WorkerTable::kNone) {
    const Worker& worker = workers_[known];
    if (worker.alive && worker.epoch == event.epoch) workers_.Renew(known, now_);
    if (event.epoch <= worker.epoch) return;
    if (worker.alive) {
      Do(WorkerExpired{worker.id, worker.epoch});
      LoseWorker(known);
    }
  }
  workers_.Join(event, now_);
  if (options_.lease_ms != 0) WakeBy(now_ + options_.lease_ms);
}

void Scheduler::Machine::On(const Heartbeat& event) {
  const WorkerIndex worker = workers_.Find(event.worker, event.epoch);
  if (worker != WorkerTable::kNone) workers_.Renew(worker, now_);
}

void Scheduler::Machine::On(const WorkerLost& event) {
  const WorkerIndex worker = workers_.Find(event.worker, event.epoch);
  if (worker != WorkerTable::kNone) LoseWorker(worker);
}

void Scheduler::Machine::On(const DrainWorker& event) {
  const WorkerIndex worker = workers_.Find(event.worker, event.epoch);
  if (worker == WorkerTable::kNone || workers_[worker].draining) return;
  workers_.Drain(worker);
  MaybeDrained(worker);
  BringBackIfNoneIsLeft();
}

// --- Attempts.

void Scheduler::Machine::On(const AttemptProgress& event) {
  const AttemptIndex index = FindAttempt(event.attempt);
  if (index == kNoIndex || attempts_[index].stopping) return;
  Attempt& attempt = attempts_[index];
  attempt.moved_ms = now_;
  attempt.fraction = static_cast<float>(std::clamp(event.fraction, 0.0, 1.0));
  attempts_.MoveToBack(attempt.job->running(attempt.id.kind), index);
}

void Scheduler::Machine::On(const AttemptDone& event) {
  const AttemptIndex index = FindAttempt(event.attempt);
  const auto too_late = [&](WorkerIndex worker) {
    if (event.attempt.kind == TaskKind::kReduce) return;
    const JobState* job = FindJob(event.attempt.job);
    // Of a job that is gone all is removed; a map that comes after that has its number still.
    if (job == nullptr && event.attempt.kind != TaskKind::kMap) return;
    const std::uint32_t segment =
        job == nullptr ? event.attempt.task
                       : job->layout.SegmentOf(event.attempt.kind, event.attempt.task);
    Do(DiscardSegment{event.attempt.job, {segment, event.attempt.attempt, workers_[worker].id}});
  };
  if (index == kNoIndex) {
    const auto abandoned = abandoned_.find(event.attempt);
    if (abandoned == abandoned_.end()) return;
    too_late(abandoned->second);
    ReleaseAbandoned(event.attempt);
    return;
  }
  JobState& job = *attempts_[index].job;
  if (attempts_[index].stopping) {
    const bool has_segment = event.attempt.kind != job.final_kind();
    if (has_segment) too_late(attempts_[index].worker);
    Release(index, SlotFate::kFree);
    if (has_segment) CheckHash(job, event);
    return;
  }
  if (event.attempt.kind == job.final_kind()) {
    RejectEnd(event.attempt, "ended without asking to commit its output");
    return;
  }
  if (event.attempt.kind == TaskKind::kCombine) return CompleteCombine(index);
  CompleteMap(index, event);
}

void Scheduler::Machine::TakeSegmentOf(AttemptIndex index) {
  const AttemptId id = attempts_[index].id;
  JobState& job = *attempts_[index].job;
  const WorkerIndex worker = attempts_[index].worker;
  NoteDuration(index);
  workers_[worker].failures_in_row = 0;
  job.task(id).done = true;
  ++job.done(id.kind);
  AddSegment(job, {job.layout.SegmentOf(id.kind, id.task), id.attempt, workers_[worker].id},
             worker);
  Release(index, SlotFate::kFree);
  StopRunningOf(job, id, StopReason::kOtherWon);
}

void Scheduler::Machine::CompleteMap(AttemptIndex index, const AttemptDone& event) {
  JobState& job = *attempts_[index].job;
  job.large_first.Add(event.attempt.task, event.partition_sizes);
  TakeSegmentOf(index);
  if (job.maps_done()) job.maps_done_ms = now_;
  CheckHash(job, event);
  if (job.phase != JobPhase::kActive) return;
  CutReduceWork(job);

  const bool batch_full = job.segments.log_size() - job.announced >= options_.segment_batch;
  if (job.maps_done() || batch_full) {
    AnnounceToAll(job);
  } else if (job.running_count(TaskKind::kReduce) > 0) {
    WakeBy(now_ + options_.tick_ms);
  }
  Refresh(job);
}

void Scheduler::Machine::CompleteCombine(AttemptIndex index) {
  JobState& job = *attempts_[index].job;
  ReduceLayout::Split& split = job.layout.SplitOfCombine(attempts_[index].id.task);
  TakeSegmentOf(index);
  ++split.done;
  // It was passed over as long as it lacked pieces.
  if (split.ready()) job.large_first.Rank();
  Requeue(job, TaskKind::kReduce, split.partition);
  Refresh(job);
}

void Scheduler::Machine::CutReduceWork(JobState& job) {
  // A replay is told of it.
  if (replaying_ || !job.maps_done() || job.layout.applied()) return;
  if (!workers_.all_run_plans()) return;
  const ReducePlan plan = job.PlanReduces(workers_.slots(), options_.reduce_plan);
  if (plan.empty()) return;
  job.Apply(plan);
  Do(CutReduces{job.id, plan});
}

void Scheduler::Machine::NoteDuration(AttemptIndex index) {
  JobState& job = *attempts_[index].job;
  JobState::Durations& durations = job.durations(attempts_[index].id.kind);
  durations.sum_ms += now_ - job.WorkBegan(attempts_[index]);
  ++durations.samples;
}

void Scheduler::Machine::RejectEnd(const AttemptId& id, const char* how) {
  On(AttemptFailed{id, InternalError(std::string("the attempt ") + how), std::nullopt});
}

void Scheduler::Machine::On(const AttemptFailed& event) {
  const AttemptIndex index = FindAttempt(event.attempt);
  if (index == kNoIndex) {
    ReleaseAbandoned(event.attempt);
    return;
  }
  JobState& job = *attempts_[index].job;
  const WorkerIndex worker = attempts_[index].worker;
  const bool was_stopping = attempts_[index].stopping;
  Release(index, SlotFate::kFree);
  if (!was_stopping) FailAttempt(job, event, worker);
}

void Scheduler::Machine::On(const AttemptStopped& event) {
  const AttemptIndex index = FindAttempt(event.attempt);
  if (index == kNoIndex) {
    ReleaseAbandoned(event.attempt);
    return;
  }
  JobState& job = *attempts_[index].job;
  if (!attempts_[index].stopping) ++job.tally.attempts_stopped;
  Release(index, SlotFate::kFree);
  Requeue(job, event.attempt.kind, event.attempt.task);
  Refresh(job);
}

void Scheduler::Machine::On(const SegmentLost& event) {
  const AttemptIndex index = FindAttempt(event.reduce);
  if (index == kNoIndex) {
    if (event.ended) ReleaseAbandoned(event.reduce);
    return;
  }
  if (event.reduce.kind == TaskKind::kMap) return;
  JobState& job = *attempts_[index].job;
  const bool was_stopping = attempts_[index].stopping;
  const WorkerId reduce_worker = workers_[attempts_[index].worker].id;
  if (event.ended) {
    if (!was_stopping) ++job.tally.attempts_stopped;
    Release(index, SlotFate::kFree);
    Requeue(job, event.reduce.kind, event.reduce.task);
  }
  // True of the segment whether or not this attempt is stopped meanwhile, as it is where its slot
  // is needed to run the first lost map task again: its successor must not find out anew.
  const bool current = job.phase == JobPhase::kActive && event.map_task < job.segments.size() &&
                       job.segments.has(event.map_task) &&
                       job.segments.ref(event.map_task).attempt == event.map_attempt;
  if (current) {
    const SegmentRef segment = job.segments.ref(event.map_task);
    const auto [kind, task] = job.layout.ProducerOf(event.map_task);
    const AttemptId producer{job.id, kind, task, event.map_attempt};
    const std::string what = "the output of " + AttemptText(producer) + OnWorker(segment.worker) +
                             " cannot be read by " + AttemptText(event.reduce) +
                             OnWorker(reduce_worker);
    Warn(WarningKind::kSegmentLost, producer, segment.worker,
         what + "; the " + TaskKindName(kind) + " task runs again");
    Do(DiscardSegment{job.id, segment});
    LoseSegment(job, event.map_task);
    TaskTrouble& trouble = job.Trouble(kind, task);
    // Its next output would be as hard to read there: a bad disk, or a way that is cut.
    const WorkerIndex where = workers_.Find(segment.worker);
    if (where != WorkerTable::kNone) KeepAway(trouble, where);
    if (++trouble.segment_losses > job.options.segment_losses_max) {
      EndJob(job, DataLoss(what + ", for the " + std::to_string(trouble.segment_losses) +
                           "th time: check the spill directories' disks and the network"));
    }
  }
  Refresh(job);
}

void Scheduler::Machine::On(const CommitRequested& event) {
  const AttemptIndex index = FindAttempt(event.attempt);
  if (index == kNoIndex || attempts_[index].stopping) return;
  JobState& job = *attempts_[index].job;
  if (event.attempt.kind != job.final_kind()) return;
  TaskState& task = job.task(event.attempt);
  const WorkerId worker = workers_[attempts_[index].worker].id;
  if (task.granted == kNoAttempt) {
    task.granted = event.attempt.attempt;
    ++task.commit_epoch;
  }
  if (task.granted == event.attempt.attempt) {
    Do(GrantCommit{event.attempt, worker, task.commit_epoch});
    return;
  }
  // A backup came second. The other one may still fail, and then the task waits again.
  BeginStopping(index);
  attempts_[index].stop_reason = StopReason::kOtherWon;
  Do(RefuseCommit{event.attempt, worker});
  Refresh(job);
}

void Scheduler::Machine::On(const Committed& event) {
  const AttemptIndex index = FindAttempt(event.attempt);
  if (index == kNoIndex) {
    ReleaseAbandoned(event.attempt);
    return;
  }
  JobState& job = *attempts_[index].job;
  if (attempts_[index].stopping) {
    // It was stopped after its grant, and another attempt may have been granted since: what it
    // made durable is not named by CommitJob.
    Release(index, SlotFate::kFree);
    return;
  }
  const TaskState& task = job.task(event.attempt);
  if (event.attempt.kind != job.final_kind() || task.granted != event.attempt.attempt ||
      task.commit_epoch != event.epoch) {
    return;
  }
  NoteDuration(index);
  workers_[attempts_[index].worker].failures_in_row = 0;
  CompleteFinal(job, event.attempt);
  Release(index, SlotFate::kFree);
  StopRunningOf(job, event.attempt, StopReason::kOtherWon);
  Refresh(job);
  CommitIfDone(job);
}

void Scheduler::Machine::CompleteFinal(JobState& job, const AttemptId& id) {
  const TaskState committed = job.task(id);
  const std::uint32_t partitions =
      id.kind == TaskKind::kReduce ? job.layout.PartitionsOf(id.task) : 1;
  for (std::uint32_t i = 0; i < partitions; ++i) {
    TaskState& task = job.tasks(id.kind)[id.task + i];
    task.done = true;
    task.granted = committed.granted;
    task.commit_epoch = committed.commit_epoch;
  }
  job.done(id.kind) += partitions;
  if (id.kind != TaskKind::kReduce) return;
  const ReduceLayout::Split* split = job.layout.SplitOf(id.task);
  if (split != nullptr) StopCombinesOf(job, *split);
}

void Scheduler::Machine::On(const Tick&) {
  wake_ms_.reset();
  ExpireLeases();
  AbandonStubborn();
  if (const auto next = workers_.next_return_ms()) WakeBy(*next);
  for (auto& [id, job] : jobs_) LookAtJob(*job);
}

// --- Views.

std::optional<WorkerId> Scheduler::Machine::WorkerOf(const AttemptId& id) const {
  const AttemptIndex index = FindAttempt(id);
  if (index != kNoIndex) return workers_[attempts_[index].worker].id;
  const auto abandoned = abandoned_.find(id);
  if (abandoned != abandoned_.end()) return workers_[abandoned->second].id;
  return std::nullopt;
}

std::uint32_t Scheduler::Machine::PartitionsOf(const AttemptId& id) const {
  const auto found = jobs_.find(id.job);
  const bool known = found != jobs_.end() && id.kind == TaskKind::kReduce;
  return known ? found->second->layout.PartitionsOf(id.task) : 1;
}

std::vector<JobId> Scheduler::Machine::job_ids() const {
  std::vector<JobId> ids;
  for (const auto& [id, job] : jobs_)
    if (job->phase != JobPhase::kOver) ids.push_back(id);
  return ids;
}

std::optional<WorkerView> Scheduler::Machine::ViewWorker(WorkerId id) const {
  const WorkerIndex index = workers_.Find(id);
  if (index == WorkerTable::kNone || !workers_[index].alive) return std::nullopt;
  const Worker& worker = workers_[index];
  return WorkerView{worker.epoch,    worker.slots,     worker.slots_taken,
                    worker.draining, worker.set_aside, worker.away};
}

std::optional<JobView> Scheduler::Machine::ViewJob(JobId id) const {
  const auto found = jobs_.find(id);
  if (found == jobs_.end()) return std::nullopt;
  const JobState& job = *found->second;
  JobView view;
  view.maps_done = job.done(TaskKind::kMap);
  view.maps_total = job.total(TaskKind::kMap);
  view.maps_running = job.running_count(TaskKind::kMap);
  view.reduces_done = job.done(TaskKind::kReduce);
  view.reduces_total = job.total(TaskKind::kReduce);
  view.reduces_running = job.running_count(TaskKind::kReduce);
  view.combines_done = job.done(TaskKind::kCombine);
  view.combines_total = job.total(TaskKind::kCombine);
  view.combines_running = job.running_count(TaskKind::kCombine);
  view.joined_partitions = job.layout.joined();
  view.committing = job.phase == JobPhase::kCommitting;
  view.ending = job.phase == JobPhase::kEnding;
  view.tally = job.tally;
  view.partition_bytes = job.large_first.bytes();
  return view;
}

ClusterView Scheduler::Machine::ViewCluster() const {
  return {workers_.alive_workers(), workers_.slots(), workers_.slots_taken(),
          static_cast<std::uint32_t>(abandoned_.size()), static_cast<std::uint32_t>(jobs_.size())};
}

}  // namespace spillway
