#include "runtime/core/worker_table.h"

#include "mapreduce/base/check.h"

namespace spillway {

WorkerIndex WorkerTable::Find(WorkerId id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? kNone : found->second;
}

WorkerIndex WorkerTable::Find(WorkerId id, std::uint64_t epoch) const {
  const WorkerIndex index = Find(id);
  if (index == kNone) return kNone;
  const Worker& worker = workers_[index];
  return worker.alive && worker.epoch == epoch ? index : kNone;
}

template <class Change>
void WorkerTable::Update(WorkerIndex index, Change&& change) {
  Worker& worker = workers_[index];
  const bool was_usable = worker.usable(), was_present = worker.present();
  const bool ran_plans = worker.may_run_plans();
  change(worker);
  Pool& its = pool(worker.small_jobs_only ? Kind::kSmallJobsOnly : Kind::kGeneral);
  if (worker.usable() && !was_usable) ++its.usable;
  if (!worker.usable() && was_usable) --its.usable;
  if (worker.present() && !was_present) ++its.present;
  if (!worker.present() && was_present) --its.present;
  if (worker.may_run_plans() && !ran_plans) ++its.with_plans;
  if (!worker.may_run_plans() && ran_plans) --its.with_plans;
  if (worker.usable() && worker.slots_taken < worker.slots) {
    its.free.Insert(index);
  } else {
    its.free.Erase(index);
  }
}

WorkerIndex WorkerTable::Join(const WorkerJoined& joined, TimeMs now) {
  const auto [place, is_new] =
      by_id_.try_emplace(joined.worker, static_cast<WorkerIndex>(workers_.size()));
  const WorkerIndex index = place->second;
  if (is_new) {
    workers_.emplace_back();
    for (Pool& each : pools_) each.free.Grow(index + 1);
  }
  Update(index, [&](Worker& worker) {
    SPILLWAY_CHECK(!worker.alive);
    worker = Worker{};
    worker.id = joined.worker;
    worker.epoch = joined.epoch;
    worker.alive = true;
    worker.slots = joined.slots;
    worker.small_jobs_only = joined.small_jobs_only;
    worker.runs_plans = joined.runs_plans;
    worker.host = places_.Intern(joined.host);
    worker.rack = places_.Intern(joined.rack);
    worker.heard_ms = now;
    worker.lease = leases_.insert(leases_.end(), index);
  });
  slots_ += joined.slots;
  without_plans_ += joined.runs_plans ? 0 : 1;
  return index;
}

bool WorkerTable::free_with_plans(Kind kind) const {
  const IndexSet& free = pool(kind).free;
  for (WorkerIndex index = free.Next(0); index != kNone; index = free.Next(index + 1))
    if (workers_[index].runs_plans) return true;
  return false;
}

void WorkerTable::Remove(WorkerIndex index) {
  Update(index, [&](Worker& worker) {
    SPILLWAY_CHECK(worker.alive);
    SPILLWAY_CHECK_EQ(worker.attempts.size, 0u);
    SPILLWAY_CHECK_EQ(worker.segments, 0u);
    slots_ -= worker.slots;
    without_plans_ -= worker.runs_plans ? 0 : 1;
    slots_taken_ -= worker.slots_taken;
    worker.slots_taken = 0;
    worker.alive = false;
    leases_.erase(worker.lease);
  });
}

void WorkerTable::Renew(WorkerIndex index, TimeMs now) {
  Worker& worker = workers_[index];
  worker.heard_ms = now;
  leases_.splice(leases_.end(), leases_, worker.lease);
}

void WorkerTable::SendAway(TimeMs now) {
  for (const WorkerIndex index : leases_) {
    Update(index, [now](Worker& worker) {
      worker.away = true;
      worker.heard_ms = now;
    });
  }
}

void WorkerTable::ComeBack(WorkerIndex index) {
  Update(index, [](Worker& worker) { worker.away = false; });
}

void WorkerTable::Drain(WorkerIndex index) {
  Update(index, [](Worker& worker) { worker.draining = true; });
}

void WorkerTable::TakeSlot(WorkerIndex index, bool beyond) {
  Update(index, [beyond](Worker& worker) {
    if (!beyond) SPILLWAY_CHECK_LT(worker.slots_taken, worker.slots);
    ++worker.slots_taken;
  });
  ++slots_taken_;
}

void WorkerTable::FreeSlot(WorkerIndex index) {
  Update(index, [](Worker& worker) {
    SPILLWAY_CHECK_GT(worker.slots_taken, 0u);
    --worker.slots_taken;
  });
  --slots_taken_;
}

void WorkerTable::SetAside(WorkerIndex index, TimeMs until) {
  Update(index, [](Worker& worker) { worker.set_aside = true; });
  absences_.push_back({until, index, workers_[index].epoch});
}

void WorkerTable::BringBack(TimeMs now) {
  while (!absences_.empty() && absences_.front().until_ms <= now) {
    const Absence absence = absences_.front();
    absences_.pop_front();
    if (workers_[absence.worker].epoch != absence.epoch) continue;
    Update(absence.worker, [](Worker& worker) {
      worker.set_aside = false;
      worker.failures_in_row = 0;
    });
  }
}

std::optional<TimeMs> WorkerTable::next_return_ms() const {
  if (absences_.empty()) return std::nullopt;
  return absences_.front().until_ms;
}

WorkerIndex WorkerTable::NextFree(Kind kind) {
  Pool& its = pool(kind);
  WorkerIndex index = its.free.Next(its.turn);
  if (index == kNone) index = its.free.Next(0);
  if (index != kNone) its.turn = index + 1;
  return index;
}

}  // namespace spillway
