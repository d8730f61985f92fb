// What happens to attempts, tasks, segments and workers, whatever event was the cause.
#include <algorithm>
#include <utility>

#include "mapreduce/base/check.h"
#include "runtime/core/scheduler_machine.h"

namespace spillway {
namespace {

/// What the user is told when the job fails over one attempt.
Status Verdicted(const AttemptFailed& failure, const std::string& where,
                 const std::string& next_step) {
  std::string text = AttemptText(failure.attempt) + where + " failed: " + failure.status.message();
  if (failure.record.has_value()) {
    const std::string place =
        failure.record->path + ":" + std::to_string(failure.record->place.offset);
    // The worker's message names the place already when it could.
    if (text.find(place) == std::string::npos) text += " (at the record " + place + ")";
  }
  // What a command wrote to its stderr may stand at the end, in lines of its own.
  const bool one_line = text.find('\n') == std::string::npos;
  if (!next_step.empty()) text += (one_line ? "; " : "\nWhat to do: ") + next_step;
  return Status(failure.status.code(), std::move(text));
}

}  // namespace

JobState* Scheduler::Machine::FindJob(JobId id) {
  const auto found = jobs_.find(id);
  return found == jobs_.end() ? nullptr : found->second.get();
}

AttemptIndex Scheduler::Machine::FindAttempt(const AttemptId& id) const {
  const auto found = jobs_.find(id.job);
  if (found == jobs_.end() || id.task >= found->second->total(id.kind)) return kNoIndex;
  AttemptIndex index = found->second->task(id).first_live;
  while (index != kNoIndex && attempts_[index].id.attempt != id.attempt)
    index = attempts_[index].next_of_task;
  return index;
}

bool Scheduler::Machine::ReleaseAbandoned(const AttemptId& id) {
  const auto found = abandoned_.find(id);
  if (found == abandoned_.end()) return false;
  const WorkerIndex worker = found->second;
  abandoned_.erase(found);
  workers_.FreeSlot(worker);
  MaybeDrained(worker);
  return true;
}

// --- Attempts.

AttemptId Scheduler::Machine::NextAttempt(JobState& job, TaskKind kind, std::uint32_t task) const {
  return {job.id, kind, task, std::max(job.tasks(kind)[task].attempts, job.attempt_floor)};
}

void Scheduler::Machine::StartAttempt(JobState& job, const AttemptId& id, WorkerIndex worker,
                                      bool backup) {
  TaskState& task = job.task(id);
  task.attempts = id.attempt + 1;
  const AttemptIndex index = attempts_.Add();
  Attempt& attempt = attempts_[index];
  attempt.id = id;
  attempt.job = &job;
  attempt.worker = worker;
  attempt.backup = backup;
  attempt.started_ms = attempt.moved_ms = now_;
  attempt.next_of_task = task.first_live;
  task.first_live = index;
  ++task.running;
  ++job.live;
  ++job.tally.attempts_started;
  if (backup) ++job.backups(id.kind);
  RemoveWaiting(job, id.kind, id.task);
  attempts_.PushBack(job.running(id.kind), index);
  attempts_.PushBack(job.starts(id.kind), index);
  attempts_.PushBack(workers_[worker].attempts, index);
  workers_.TakeSlot(worker, job.options.gang);
  if (job.options.task_timeout_ms != 0) WakeBy(now_ + job.options.task_timeout_ms);
  if (job.options.speculate) WakeBy(now_ + options_.tick_ms);

  if (id.kind == TaskKind::kMap) {
    const TaskTrouble* trouble = job.FindTrouble(id.kind, id.task);
    std::span<const RecordPlace> skips;
    if (trouble != nullptr) skips = trouble->skips;
    Do(StartMap{id, workers_[worker].id, skips, backup});
  } else if (id.kind == TaskKind::kCombine) {
    Do(StartCombine{id, workers_[worker].id, job.layout.SplitOfCombine(id.task).partition,
                    job.layout.SourcesOf(id), job.layout.SegmentOf(id.kind, id.task), backup});
    AnnounceTo(index);
  } else {
    Do(StartReduce{id, workers_[worker].id, job.layout.SourcesOf(id),
                   job.layout.PartitionsOf(id.task), backup});
    AnnounceTo(index);
  }
  Refresh(job);
}

void Scheduler::Machine::LeaveRunning(AttemptIndex index) {
  Attempt& attempt = attempts_[index];
  JobState& job = *attempt.job;
  SPILLWAY_CHECK(!attempt.stopping);
  TaskState& task = job.task(attempt.id);
  --task.running;
  // A grant that was not used is taken back; the next one has a new epoch.
  if (!task.done && task.granted == attempt.id.attempt) task.granted = kNoAttempt;
  if (attempt.backup) --job.backups(attempt.id.kind);
  attempts_.Unlink(job.running(attempt.id.kind), index);
  attempts_.Unlink(job.starts(attempt.id.kind), index);
}

void Scheduler::Machine::BeginStopping(AttemptIndex index) {
  LeaveRunning(index);
  Attempt& attempt = attempts_[index];
  attempt.stopping = true;
  attempt.moved_ms = now_;
  attempts_.PushBack(stopping_, index);
  ++attempt.job->tally.attempts_stopped;
  WakeBy(now_ + options_.stop_timeout_ms);
}

void Scheduler::Machine::StopAttemptFor(AttemptIndex index, StopReason reason) {
  BeginStopping(index);
  Attempt& attempt = attempts_[index];
  attempt.stop_reason = reason;
  Do(StopAttempt{attempt.id, workers_[attempt.worker].id, reason});
}

void Scheduler::Machine::TimeOutAttempt(AttemptIndex index) {
  JobState& job = *attempts_[index].job;
  const AttemptId id = attempts_[index].id;
  const WorkerIndex worker = attempts_[index].worker;
  const std::string what = "no progress for " + std::to_string(job.options.task_timeout_ms) + " ms";
  Warn(WarningKind::kTimeout, id, workers_[worker].id, AttemptText(id) + " made " + what);
  StopAttemptFor(index, StopReason::kTimeout);
  FailAttempt(
      job, {id, Aborted(what + ": it hangs, or needs a longer time-out (--timeout)"), std::nullopt},
      worker);
}

void Scheduler::Machine::AbandonAttempt(AttemptIndex index) {
  const Attempt& attempt = attempts_[index];
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

void Scheduler::Machine::PreemptAttempt(AttemptIndex index) {
  JobState& job = *attempts_[index].job;
  const AttemptId id = attempts_[index].id;
  StopAttemptFor(index, StopReason::kPreempted);
  Requeue(job, id.kind, id.task);
  Refresh(job);
}

void Scheduler::Machine::StopRunningOf(JobState& job, const AttemptId& id, StopReason reason) {
  for (AttemptIndex index = job.task(id).first_live; index != kNoIndex;
       index = attempts_[index].next_of_task) {
    if (!attempts_[index].stopping) StopAttemptFor(index, reason);
  }
}

void Scheduler::Machine::StopAllOf(JobState& job, StopReason reason) {
  for (const TaskKind kind : kTaskKinds)
    while (!job.running(kind).empty()) StopAttemptFor(job.running(kind).front, reason);
}

void Scheduler::Machine::Release(AttemptIndex index, SlotFate fate) {
  if (attempts_[index].stopping) {
    attempts_.Unlink(stopping_, index);
  } else {
    LeaveRunning(index);
  }
  const Attempt& attempt = attempts_[index];
  JobState& job = *attempt.job;
  attempts_.Unlink(workers_[attempt.worker].attempts, index);
  AttemptIndex* link = &job.task(attempt.id).first_live;
  while (*link != index) link = &attempts_[*link].next_of_task;
  *link = attempt.next_of_task;
  const WorkerIndex worker = attempt.worker;
  attempts_.Remove(index);
  --job.live;
  if (fate == SlotFate::kFree) workers_.FreeSlot(worker);
  MaybeDrained(worker);
  Refresh(job);
  MaybeOver(job);
}

// --- Tasks.

void Scheduler::Machine::Requeue(JobState& job, TaskKind kind, std::uint32_t index) {
  const TaskState& task = job.tasks(kind)[index];
  if (job.phase != JobPhase::kActive || task.done || task.running > 0) return;
  if (job.waiting(kind).contains(index) || !job.MayWait(kind, index)) return;
  job.waiting(kind).Insert(index);
  if (kind == TaskKind::kMap) ++waiting_maps_;
}

void Scheduler::Machine::RemoveWaiting(JobState& job, TaskKind kind, std::uint32_t index) {
  if (!job.waiting(kind).contains(index)) return;
  job.waiting(kind).Erase(index);
  if (kind == TaskKind::kMap) --waiting_maps_;
}

void Scheduler::Machine::Refresh(JobState& job) {
  const ShareQueue::Key key{ShareQueue::Share(job.live, job.options.weight), job.submission};
  wants_slot_.Update(job, job.slot_spot, job.wants_slot(), key);
  if (job.options.small) wants_small_slot_.Update(job, job.small_spot, job.wants_slot(), key);
  wants_idle_slot_.Update(job, job.idle_spot, job.wants_idle_slot(), key);
  if (job.options.gang && job.wants_slot()) {
    gangs_.emplace(job.submission, &job);
  } else {
    gangs_.erase(job.submission);
  }
  if (job.holds_back_slots()) {
    holders_.emplace(job.submission, &job);
  } else {
    holders_.erase(job.submission);
  }
}

// --- Segments.

void Scheduler::Machine::AddSegment(JobState& job, const SegmentRef& segment, WorkerIndex worker) {
  job.segments.Add(segment, worker);
  ++workers_[worker].segments;
}

void Scheduler::Machine::RemoveSegment(JobState& job, std::uint32_t map) {
  const WorkerIndex worker = job.segments.worker_index(map);
  job.segments.Remove(map);
  --workers_[worker].segments;
  MaybeDrained(worker);
}

void Scheduler::Machine::LoseSegment(JobState& job, std::uint32_t number) {
  const SegmentRef segment = job.segments.ref(number);
  const std::uint32_t position = job.segments.position(number);
  RemoveSegment(job, number);
  if (job.phase != JobPhase::kActive) return;

  for (const TaskKind reading : kReadingKinds) {
    const AttemptList& readers = job.running(reading);
    for (AttemptIndex i = readers.front; i != kNoIndex; i = attempts_.After(readers, i)) {
      const Attempt& reader = attempts_[i];
      if (position < reader.announced)
        Do(SegmentInvalidated{reader.id, workers_[reader.worker].id, segment});
    }
  }
  const auto [kind, task] = job.layout.ProducerOf(number);
  job.tasks(kind)[task].done = false;
  --job.done(kind);
  if (kind == TaskKind::kCombine) return LosePiece(job, task);
  ++job.tally.maps_rerun;
  Requeue(job, TaskKind::kMap, task);
  Refresh(job);
}

void Scheduler::Machine::LosePiece(JobState& job, std::uint32_t combine) {
  ReduceLayout::Split& split = job.layout.SplitOfCombine(combine);
  --split.done;
  const TaskState& reduce = job.tasks(TaskKind::kReduce)[split.partition];
  if (reduce.done) return;
  if (!split.whole) RemoveWaiting(job, TaskKind::kReduce, split.partition);
  for (AttemptIndex i = reduce.first_live; i != kNoIndex; i = attempts_[i].next_of_task) {
    if (attempts_[i].stopping || reduce.granted == attempts_[i].id.attempt) continue;
    StopAttemptFor(i, StopReason::kPreempted);
  }
  Requeue(job, TaskKind::kCombine, combine);
  Requeue(job, TaskKind::kReduce, split.partition);
  Refresh(job);
}

void Scheduler::Machine::AnnounceTo(AttemptIndex index) {
  Attempt& attempt = attempts_[index];
  const SegmentLedger& segments = attempt.job->segments;
  segments.ForEachStretch(attempt.announced, [&](std::span<const SegmentRef> stretch) {
    Do(SegmentsAvailable{attempt.id, workers_[attempt.worker].id, stretch});
  });
  attempt.announced = segments.log_size();
}

void Scheduler::Machine::AnnounceToAll(JobState& job) {
  bool told = false;
  for (const TaskKind kind : kReadingKinds) {
    const AttemptList& readers = job.running(kind);
    for (AttemptIndex i = readers.front; i != kNoIndex; i = attempts_.After(readers, i)) {
      AnnounceTo(i);
      told = true;
      // Who waits does not move; its time begins when there is nothing to wait for.
      if (job.maps_done()) attempts_[i].moved_ms = now_;
    }
  }
  job.announced = job.segments.log_size();
  if (job.maps_done() && told && job.options.task_timeout_ms != 0)
    WakeBy(now_ + job.options.task_timeout_ms);
}

void Scheduler::Machine::CheckHash(JobState& job, const AttemptDone& event) {
  if (job.phase != JobPhase::kActive || event.attempt.kind != TaskKind::kMap) return;
  const std::string difference = job.hashes.Compare(event);
  if (difference.empty()) return;
  const AttemptId& id = event.attempt;
  const std::string what = AttemptText(id) + " wrote " + difference + " than its attempt " +
                           std::to_string(job.hashes.first_attempt(id.task)) +
                           ": the mapper is not deterministic, and the job's output would depend "
                           "on which attempts were used";
  const char* const remedy =
      "remove randomness, time and shared state from the mapper, combiner and partitioner";
  if (job.options.allow_nondeterminism) {
    Warn(WarningKind::kNonDeterministic, id, 0, what + "; " + remedy);
  } else {
    EndJob(job, UserCodeError(what + "; " + remedy +
                              ", or accept such output (--allow-nondeterminism)"));
  }
}

// --- Failures and workers.

bool Scheduler::Machine::FailedOnAllUsable(const JobState& job, const TaskTrouble& trouble) const {
  const auto failed_on = std::count_if(trouble.failed_on.begin(), trouble.failed_on.end(),
                                       [&](WorkerIndex w) { return workers_[w].usable(); });
  std::uint32_t all = workers_.usable_workers(WorkerTable::Kind::kGeneral);
  if (job.options.small) all += workers_.usable_workers(WorkerTable::Kind::kSmallJobsOnly);
  return static_cast<std::uint32_t>(failed_on) >= all;
}

bool Scheduler::Machine::FailedOnAllPresent(const JobState& job, const TaskTrouble& trouble) const {
  const auto failed_on = std::count_if(trouble.failed_on.begin(), trouble.failed_on.end(),
                                       [&](WorkerIndex w) { return workers_[w].present(); });
  std::uint32_t all = workers_.present_workers(WorkerTable::Kind::kGeneral);
  if (job.options.small) all += workers_.present_workers(WorkerTable::Kind::kSmallJobsOnly);
  return static_cast<std::uint32_t>(failed_on) >= all;
}

void Scheduler::Machine::KeepAway(TaskTrouble& trouble, WorkerIndex worker) {
  std::vector<WorkerIndex>& failed_on = trouble.failed_on;
  if (std::find(failed_on.begin(), failed_on.end(), worker) == failed_on.end())
    failed_on.push_back(worker);
  trouble.avoid_until_ms = now_ + options_.avoid_ms;
  WakeBy(trouble.avoid_until_ms);
}

void Scheduler::Machine::FailAttempt(JobState& job, const AttemptFailed& failure,
                                     WorkerIndex worker) {
  if (job.phase != JobPhase::kActive) return;
  const AttemptId& id = failure.attempt;
  ++job.tally.attempts_failed;
  if (BlamesWorker(failure.status.code())) BlameWorker(worker, id);
  if (id.kind == TaskKind::kReduce && job.layout.PartitionsOf(id.task) > 1) {
    // Nobody says which of them failed. Each tries alone, with all its attempts.
    Dissolve(job, id.task);
    Requeue(job, id.kind, id.task);
    Refresh(job);
    return;
  }
  TaskTrouble& trouble = job.Trouble(id.kind, id.task);
  KeepAway(trouble, worker);

  const Judgement judgement =
      JudgeFailure({failure, trouble, job.options, job.tally.records_skipped,
                    !FailedOnAllPresent(job, trouble)});
  if (judgement.verdict == Verdict::kFailJob) {
    EndJob(job, Verdicted(failure, OnWorker(workers_[worker].id), judgement.next_step));
    return;
  }
  if (judgement.verdict == Verdict::kSkipRecord) {
    const RecordPlace& place = failure.record->place;
    std::vector<RecordPlace>& skips = trouble.skips;
    skips.insert(std::upper_bound(skips.begin(), skips.end(), place), place);
    trouble.failures = 0;
    ++job.tally.records_skipped;
    Warn(WarningKind::kRecordSkipped, id, workers_[worker].id,
         "the record at " + failure.record->path + ":" + std::to_string(place.offset) +
             " is skipped: " + failure.status.message());
  } else if (judgement.verdict == Verdict::kRetry) {
    ++trouble.failures;
  }
  trouble.last_record.reset();
  if (failure.record.has_value()) trouble.last_record = failure.record->place;
  trouble.last_message = failure.status.message();
  Requeue(job, id.kind, id.task);
  Refresh(job);
}

void Scheduler::Machine::Dissolve(JobState& job, std::uint32_t reduce) {
  const std::uint32_t partitions = job.layout.PartitionsOf(reduce);
  if (partitions == 1) return;
  job.layout.Dissolve(reduce);
  StopRunningOf(job, {job.id, TaskKind::kReduce, reduce, kNoAttempt}, StopReason::kPreempted);
  for (std::uint32_t i = 1; i < partitions; ++i) {
    // The attempts so far may have left files of these partitions under their numbers, and their
    // grants were of these partitions, too.
    TaskState& task = job.tasks(TaskKind::kReduce)[reduce + i];
    task.attempts = job.tasks(TaskKind::kReduce)[reduce].attempts;
    task.commit_epoch = job.tasks(TaskKind::kReduce)[reduce].commit_epoch;
    Requeue(job, TaskKind::kReduce, reduce + i);
  }
}

bool Scheduler::Machine::DropPlan(JobState& job) {
  bool dropped = false;
  for (const std::uint32_t first : job.layout.Joins()) {
    if (!job.waiting(TaskKind::kReduce).contains(first)) continue;
    Dissolve(job, first);
    dropped = true;
  }
  for (ReduceLayout::Split& split : job.layout.splits()) {
    if (split.whole || job.tasks(TaskKind::kReduce)[split.partition].done) continue;
    split.whole = dropped = true;
    StopCombinesOf(job, split);
    Requeue(job, TaskKind::kReduce, split.partition);
  }
  Refresh(job);
  return dropped;
}

void Scheduler::Machine::StopCombinesOf(JobState& job, const ReduceLayout::Split& split) {
  for (std::uint32_t i = 0; i < split.pieces; ++i) {
    const AttemptId combine{job.id, TaskKind::kCombine, split.first_combine + i, kNoAttempt};
    RemoveWaiting(job, combine.kind, combine.task);
    StopRunningOf(job, combine, StopReason::kOtherWon);
  }
}

void Scheduler::Machine::BlameWorker(WorkerIndex index, const AttemptId& attempt) {
  Worker& worker = workers_[index];
  if (!worker.usable() || ++worker.failures_in_row < options_.worker_failures_max) return;
  if (workers_.usable_workers(WorkerTable::Kind::kGeneral) < 2) return;
  const TimeMs until = now_ + options_.set_aside_ms;
  workers_.SetAside(index, until);
  WakeBy(until);
  Warn(WarningKind::kWorkerSetAside, attempt, worker.id,
       "worker " + std::to_string(worker.id) + " is given nothing for " +
           std::to_string(options_.set_aside_ms) +
           " ms: " + std::to_string(worker.failures_in_row) + " attempts failed on it in a row");
}

void Scheduler::Machine::LoseWorker(WorkerIndex index) {
  workers_[index].drained = true;  // It is gone without being asked.
  const auto lose_segments = [&](bool of_active_jobs) {
    for (auto& [id, job] : jobs_) {
      if ((job->phase == JobPhase::kActive) != of_active_jobs) continue;
      for (std::uint32_t map; (map = job->segments.FirstOn(index)) != SegmentLedger::kNone;)
        LoseSegment(*job, map);
    }
  };
  // A reduce that goes with the worker must not hear of lost segments. Hence the order.
  lose_segments(false);
  while (!workers_[index].attempts.empty()) {
    const AttemptIndex attempt = workers_[index].attempts.front;
    const AttemptId id = attempts_[attempt].id;
    JobState& job = *attempts_[attempt].job;
    if (!attempts_[attempt].stopping) ++job.tally.attempts_stopped;
    Release(attempt, SlotFate::kTaken);  // The slot goes with its worker.
    Requeue(job, id.kind, id.task);
    Refresh(job);
  }
  lose_segments(true);
  std::erase_if(abandoned_, [&](const auto& entry) { return entry.second == index; });
  workers_.Remove(index);
  BringBackIfNoneIsLeft();
}

void Scheduler::Machine::BringBackIfNoneIsLeft() {
  if (workers_.usable_workers(WorkerTable::Kind::kGeneral) == 0) workers_.BringBack(UINT64_MAX);
}

void Scheduler::Machine::MaybeDrained(WorkerIndex index) {
  Worker& worker = workers_[index];
  if (!worker.draining || worker.drained || worker.slots_taken > 0 || worker.segments > 0) return;
  worker.drained = true;
  Do(WorkerDrained{worker.id, worker.epoch});
}

}  // namespace spillway
