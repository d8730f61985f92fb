#include "runtime/coordinator/worker_registry.h"

#include <algorithm>

#include "mapreduce/base/units.h"

namespace spillway {

namespace {

template <class Map, class Key>
WorkerEntry* Lookup(const Map& map, const Key& key) {
  const auto found = map.find(key);
  if (found == map.end()) return nullptr;
  return &*found->second;
}

}  // namespace

std::string WorkerText(const WorkerEntry& worker) {
  return "worker " + std::to_string(worker.id) + " (" + EscapeForLog(worker.details.name()) +
         " on " + EscapeForLog(worker.details.host()) + ", pid " +
         std::to_string(worker.details.pid()) + ")";
}

WorkerEntry* WorkerRegistry::FindIncarnation(std::uint64_t incarnation) {
  return Lookup(by_incarnation_, incarnation);
}

WorkerEntry* WorkerRegistry::FindSession(std::uint64_t session) {
  return Lookup(by_session_, session);
}

WorkerEntry* WorkerRegistry::Find(WorkerId id) { return Lookup(by_id_, id); }

WorkerEntry& WorkerRegistry::Add(const wire::Register& details, WorkerId id) {
  if (id == 0) id = next_id_;
  next_id_ = std::max(next_id_, id + 1);
  auto entry = std::make_unique<WorkerEntry>();
  entry->id = id;
  entry->details = details;
  WorkerEntry& worker = *workers_.insert_or_assign(id, std::move(entry)).first->second;
  by_id_[id] = &worker;
  by_incarnation_[details.incarnation()] = &worker;
  return worker;
}

void WorkerRegistry::OpenSession(WorkerEntry& worker, std::uint64_t session, std::uint32_t version,
                                 const ChannelLimits& limits) {
  CloseSession(worker);
  worker.channel = std::make_unique<ReliableChannel>(session, version, limits);
  by_session_[session] = &worker;
}

void WorkerRegistry::CloseSession(WorkerEntry& worker) {
  if (worker.channel != nullptr) by_session_.erase(worker.channel->session());
  worker.channel.reset();
  if (worker.due_ms.has_value()) due_.erase({*worker.due_ms, worker.id});
  worker.due_ms.reset();
  worker.jobs.clear();
  worker.told_loops.clear();
  worker.told_places.clear();
}

void WorkerRegistry::Remove(WorkerId id) {
  WorkerEntry* const worker = Find(id);
  if (worker == nullptr) return;
  CloseSession(*worker);
  by_incarnation_.erase(worker->details.incarnation());
  std::erase(dirty_, worker);
  by_id_.erase(id);
  workers_.erase(id);
}

void WorkerRegistry::MarkDirty(WorkerEntry& worker) {
  if (worker.dirty) return;
  worker.dirty = true;
  dirty_.push_back(&worker);
}

std::vector<WorkerEntry*> WorkerRegistry::TakeDirty() {
  std::vector<WorkerEntry*> taken;
  taken.swap(dirty_);
  for (WorkerEntry* worker : taken) worker->dirty = false;
  return taken;
}

void WorkerRegistry::NoteDue(WorkerEntry& worker) {
  const auto due = worker.channel->due_ms();
  if (due == worker.due_ms) return;
  if (worker.due_ms.has_value()) due_.erase({*worker.due_ms, worker.id});
  worker.due_ms = due;
  if (due.has_value()) due_.emplace(*due, worker.id);
}

void WorkerRegistry::MarkDue(TimeMs now) {
  while (!due_.empty() && due_.begin()->first <= now) {
    WorkerEntry& worker = *Find(due_.begin()->second);
    due_.erase(due_.begin());
    worker.due_ms.reset();
    MarkDirty(worker);
  }
}

std::optional<TimeMs> WorkerRegistry::due_ms() const {
  if (due_.empty()) return std::nullopt;
  return due_.begin()->first;
}

}  // namespace spillway
