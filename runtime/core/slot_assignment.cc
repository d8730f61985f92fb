// Who runs next: the pass at the end of each step. It stops as soon as no slot is free or no job
// wants one, so that a step which frees one slot looks at one worker and one job.
#include <algorithm>

#include "runtime/core/scheduler_machine.h"

namespace spillway {
namespace {

// Tasks keep away from workers they failed on, so a free slot and waiting work need not match.
// These bound the search; what it misses is found at a later event, or when the avoidance ends.
constexpr std::uint32_t kWorkerProbesMax = 8;
constexpr std::uint32_t kJobProbesMax = 8;
constexpr std::uint32_t kTaskProbesMax = 16;
constexpr std::uint32_t kVictimProbesMax = 16;
constexpr std::uint32_t kStragglerProbesMax = 16;

// A backup costs a slot that could do first-time work soon: never more than this share of the
// running attempts of its kind.
constexpr std::uint32_t kBackupShare = 10;
// Until so many have ended, running attempts speak for how long one takes, as far as they came;
// all of them together must have come as far as one whole task.
constexpr std::uint32_t kDurationSamplesMin = 3;
constexpr std::uint32_t kPeerProbesMax = 16;
constexpr double kPeersWorkMin = 1;
constexpr double kFractionMin = 0.01;

constexpr WorkerTable::Kind kGeneral = WorkerTable::Kind::kGeneral;
constexpr WorkerTable::Kind kSmallJobsOnly = WorkerTable::Kind::kSmallJobsOnly;

}  // namespace

WorkerIndex Scheduler::Machine::LeastTakenFor(JobState& job, std::uint32_t map) {
  WorkerIndex best = WorkerTable::kNone;
  bool best_avoided = false;
  for (WorkerIndex index = 0; index < workers_.size(); ++index) {
    const Worker& worker = workers_[index];
    if (!worker.usable() || worker.small_jobs_only) continue;
    if (!Knows(index, job, TaskKind::kMap, map)) continue;
    if (worker.slots_taken >= worker.slots * options_.gang_tasks_per_slot_max) continue;
    // Compares taken / slots as products, which are exact.
    const auto load = [this](WorkerIndex i, WorkerIndex other) {
      return std::uint64_t{workers_[i].slots_taken + 1} * workers_[other].slots;
    };
    const bool avoided = Avoids(job, TaskKind::kMap, map, index);
    if (best != WorkerTable::kNone) {
      const bool better =
          avoided == best_avoided ? load(index, best) < load(best, index) : !avoided;
      if (!better) continue;
    }
    best = index;
    best_avoided = avoided;
  }
  return best;
}

void Scheduler::Machine::AssignGangs() {
  while (!gangs_.empty()) {
    JobState& job = *gangs_.begin()->second;
    const std::uint32_t map = job.waiting(TaskKind::kMap).Next(0);
    // Where it failed before is better than nowhere: the others wait for it.
    const WorkerIndex worker = LeastTakenFor(job, map);
    if (worker == WorkerTable::kNone) return;
    StartAttempt(job, NextAttempt(job, TaskKind::kMap, map), worker, false);
  }
}

void Scheduler::Machine::DropPlansNobodyRuns() {
  if (workers_.present_workers(kGeneral) == 0 || workers_.with_plans(kGeneral) > 0) return;
  for (auto& [id, job] : jobs_) {
    if (!job->layout.applied() || !job->wants_slot()) continue;
    if (DropPlan(*job)) Do(CutReduces{id, {}});
  }
}

void Scheduler::Machine::AssignSlots() {
  AssignGangs();
  DropPlansNobodyRuns();
  std::uint32_t starts = 0;
  // First where nobody else may go, so that small jobs leave the other workers alone.
  std::uint32_t refusals = 0;
  while (refusals < std::min(kWorkerProbesMax, workers_.free_workers(kSmallJobsOnly))) {
    if (wants_small_slot_.empty()) break;
    if (starts == options_.starts_per_step_max) return WakeBy(now_);
    ++(StartOneOf(wants_small_slot_, workers_.NextFree(kSmallJobsOnly)) ? starts : refusals);
  }
  refusals = 0;
  while (refusals < std::min(kWorkerProbesMax, workers_.free_workers(kGeneral))) {
    if (wants_slot_.empty() && (waiting_maps_ > 0 || wants_idle_slot_.empty())) break;
    if (starts == options_.starts_per_step_max) return WakeBy(now_);
    ++(StartOn(workers_.NextFree(kGeneral)) ? starts : refusals);
  }
  PreemptForMaps();
}

bool Scheduler::Machine::StartOneOf(const ShareQueue& jobs, WorkerIndex worker) {
  std::uint32_t probes = 0;
  for (const auto& [key, job] : jobs) {
    if (++probes > kJobProbesMax) break;
    if (StartWaiting(*job, TaskKind::kMap, worker)) return true;
    if (!job->maps_done()) continue;
    // Reduces wait for combines.
    if (StartWaiting(*job, TaskKind::kCombine, worker)) return true;
    if (StartWaiting(*job, TaskKind::kReduce, worker)) return true;
  }
  return false;
}

bool Scheduler::Machine::StartOn(WorkerIndex worker) {
  if (StartOneOf(wants_slot_, worker)) return true;
  // A reduce that started early now would only be stopped for the maps that wait.
  if (waiting_maps_ > 0) return false;
  std::uint32_t probes = 0;
  for (const auto& [key, job] : wants_idle_slot_) {
    if (++probes > kJobProbesMax) break;
    if (StartWaiting(*job, TaskKind::kReduce, worker)) return true;
  }
  return false;
}

bool Scheduler::Machine::StartWaiting(JobState& job, TaskKind kind, WorkerIndex worker) {
  const std::uint32_t task = PickWaiting(job, kind, worker);
  if (task == IndexSet::kNone) return false;
  StartAttempt(job, NextAttempt(job, kind, task), worker, false);
  return true;
}

std::uint32_t Scheduler::Machine::PickWaiting(JobState& job, TaskKind kind, WorkerIndex worker) {
  const IndexSet& waiting = job.waiting(kind);
  if (waiting.empty()) return IndexSet::kNone;
  if (kind == TaskKind::kMap) {
    for (const std::uint32_t place : {workers_[worker].host, workers_[worker].rack}) {
      const std::uint32_t task = job.FirstAt(place);
      if (task != IndexSet::kNone && MayStart(job, kind, task, worker)) return task;
    }
  } else if (kind == TaskKind::kReduce) {
    const std::uint32_t task = job.FirstLargeReduce();
    if (task != IndexSet::kNone && MayStart(job, kind, task, worker)) return task;
  }
  std::uint32_t task = waiting.Next(0);
  for (std::uint32_t probes = 0; task != IndexSet::kNone; task = waiting.Next(task + 1)) {
    if (MayStart(job, kind, task, worker)) return task;
    if (++probes == kTaskProbesMax) return IndexSet::kNone;
  }
  return task;
}

bool Scheduler::Machine::MayStart(JobState& job, TaskKind kind, std::uint32_t task,
                                  WorkerIndex worker) {
  if (Avoids(job, kind, task, worker)) return false;
  if (!Knows(worker, job, kind, task)) return false;
  return kind != TaskKind::kReduce ||
         !job.HoldsBack(task, workers_.slots(), options_.reduce_plan) || !workers_.all_run_plans();
}

/// Whether there is such a task in the worker's version.
bool Scheduler::Machine::Knows(WorkerIndex worker, const JobState& job, TaskKind kind,
                               std::uint32_t task) const {
  const bool is_new =
      kind == TaskKind::kMap ? job.options.splits_archives : job.layout.NeedsPlans(kind, task);
  return workers_[worker].runs_plans || !is_new;
}

bool Scheduler::Machine::Avoids(JobState& job, TaskKind kind, std::uint32_t task,
                                WorkerIndex worker) {
  const TaskTrouble* trouble = job.FindTrouble(kind, task);
  if (trouble == nullptr || trouble->avoid_until_ms <= now_) return false;
  const auto& failed_on = trouble->failed_on;
  return std::find(failed_on.begin(), failed_on.end(), worker) != failed_on.end() &&
         !FailedOnAllUsable(job, *trouble);
}

std::uint64_t Scheduler::Machine::MapsForNewWorkers() const {
  if (workers_.all_run_plans()) return 0;
  std::uint64_t maps = 0;
  std::uint32_t probes = 0;
  for (const auto& [key, job] : wants_slot_) {
    if (++probes > kJobProbesMax) break;
    if (job->options.splits_archives) maps += job->waiting(TaskKind::kMap).size();
  }
  return maps;
}

void Scheduler::Machine::PreemptForMaps() {
  const bool some_free = workers_.free_workers(kGeneral) > 0;
  if (waiting_maps_ == 0) return;
  const std::uint64_t for_new = MapsForNewWorkers();
  if (some_free && (for_new == 0 || workers_.free_with_plans(kGeneral))) return;
  // Where they are all that is left, a slot of an older worker is of no use.
  const bool new_only = for_new > 0 && (some_free || for_new == waiting_maps_);
  const std::uint64_t wanted = new_only ? for_new : waiting_maps_;
  // Slots of stopping attempts come free by themselves.
  std::uint64_t coming = stopping_.size;
  std::uint64_t youngest = 0;
  // The youngest job first. Stopping a job's last reduce takes it out of holders_.
  for (auto holder = holders_.end(); wanted > coming && holder != holders_.begin();
       holder = holders_.lower_bound(youngest)) {
    --holder;
    youngest = holder->first;
    JobState& job = *holder->second;
    for (const TaskKind kind : kReadingKinds) {
      AttemptIndex next = job.running(kind).front;
      for (std::uint32_t probes = 0;
           next != kNoIndex && wanted > coming && probes < kVictimProbesMax; ++probes) {
        const AttemptIndex victim = next;
        next = attempts_.After(job.running(kind), victim);
        const AttemptId id = attempts_[victim].id;
        if (job.task(id).granted == id.attempt) continue;  // It is about to end.
        if (new_only && !workers_[attempts_[victim].worker].runs_plans) continue;
        PreemptAttempt(victim);
        ++coming;
      }
    }
  }
}

double Scheduler::Machine::PeersMeanMs(JobState& job, AttemptIndex index) const {
  const TaskKind kind = attempts_[index].id.kind;
  const JobState::Durations& ended = job.durations(kind);
  double work = ended.samples;
  double ms = static_cast<double>(ended.sum_ms);
  if (ended.samples < kDurationSamplesMin) {
    AttemptIndex peer = job.starts(kind).front;
    for (std::uint32_t probes = 0; peer != kNoIndex && probes < kPeerProbesMax; ++probes) {
      if (peer != index) {
        work += attempts_[peer].fraction;
        ms += static_cast<double>(now_ - job.WorkBegan(attempts_[peer]));
      }
      peer = attempts_.After(job.starts(kind), peer);
    }
  }
  return work < kPeersWorkMin ? 0 : ms / work;
}

void Scheduler::Machine::Speculate(JobState& job, TaskKind kind) {
  if (!job.options.speculate || job.phase != JobPhase::kActive) return;
  if (job.starts(kind).empty() || (kind != TaskKind::kMap && !job.maps_done())) return;
  WakeBy(now_ + options_.tick_ms);
  if (workers_.usable_workers(kGeneral) < 2 || workers_.free_workers(kGeneral) == 0) return;
  if (waiting_maps_ > 0 || !wants_slot_.empty()) return;

  const std::uint32_t backups_max = std::max(1u, job.starts(kind).size / kBackupShare);
  AttemptIndex next = job.starts(kind).front;
  for (std::uint32_t probes = 0; next != kNoIndex && probes < kStragglerProbesMax; ++probes) {
    const AttemptIndex index = next;
    next = attempts_.After(job.starts(kind), index);
    if (job.backups(kind) >= backups_max) return;
    const Attempt& attempt = attempts_[index];
    const TaskState& task = job.task(attempt.id);
    if (task.running > 1 || task.granted != kNoAttempt) continue;
    // It is slow when its rate is below its peers' by the factor, and worth a backup when one that
    // begins now would still overtake it.
    const double mean_ms = PeersMeanMs(job, index);
    const double elapsed_ms = static_cast<double>(now_ - job.WorkBegan(attempt));
    const double needs_ms = elapsed_ms / std::max(kFractionMin, double{attempt.fraction});
    if (mean_ms == 0 || elapsed_ms < options_.speculation_factor * mean_ms) continue;
    if (needs_ms < options_.speculation_factor * mean_ms || needs_ms - elapsed_ms <= mean_ms)
      continue;
    const WorkerIndex worker = FreeWorkerBeside(attempt.worker);
    if (worker == WorkerTable::kNone) return;
    if (!Knows(worker, job, kind, attempt.id.task)) continue;
    StartAttempt(job, NextAttempt(job, kind, attempt.id.task), worker, true);
  }
}

WorkerIndex Scheduler::Machine::FreeWorkerBeside(WorkerIndex other) {
  // Two turns are enough: in turn means that the second is another worker, if there is one.
  for (int turn = 0; turn < 2; ++turn) {
    const WorkerIndex worker = workers_.NextFree(kGeneral);
    if (worker != other) return worker;
  }
  return WorkerTable::kNone;
}

}  // namespace spillway
