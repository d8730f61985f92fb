// WorkerRegistry: the workers as the coordinator talks with them: who they are, the session that
// each is in, and what it was told already. Whether a worker counts is the scheduler's to say.
// Pure; owned by the machine.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "runtime/core/attempt_id.h"
#include "runtime/protocol/reliable_channel.h"
#include "runtime/protocol/spillway.pb.h"

namespace spillway {

/// What a worker is told next of a loop.
struct LoopCursor {
  std::uint32_t round = 0;
  std::uint32_t part = 0;
};

struct WorkerEntry {
  WorkerId id = 0;
  std::uint64_t epoch = 0;
  wire::Register details;  ///< As it registered last.
  wire::Heartbeat health;  ///< As it said last.

  std::string peer;                          ///< Where it was heard from last.
  std::unique_ptr<ReliableChannel> channel;  ///< Null: it has not registered since the start.
  std::string key;                           ///< Public; the session's. Empty without keys.
  /// Jobs that it may have, and whose end it must hear of; true: StartJob was sent in this session.
  std::map<JobId, bool> jobs;
  std::map<JobId, LoopCursor> told_loops;  ///< Whose rounds it is told, in this session.
  std::vector<bool> told_places;           ///< By worker id: WorkerPlace was sent.
  bool dirty = false;                      ///< Its channel may have a frame to send.
  std::optional<TimeMs> due_ms;            ///< When its channel is looked at next.
};

/// "worker 3 (w3 on host7, pid 4711)", for logs.
std::string WorkerText(const WorkerEntry& worker);

class WorkerRegistry {
 public:
  /// The worker of this process, or null.
  WorkerEntry* FindIncarnation(std::uint64_t incarnation);
  WorkerEntry* FindSession(std::uint64_t session);
  WorkerEntry* Find(WorkerId id);

  /// A worker that is new here. `id` is kept from a journal; 0: the next free one.
  WorkerEntry& Add(const wire::Register& details, WorkerId id = 0);

  /// Begins a new session with the worker: what was queued for it is gone.
  void OpenSession(WorkerEntry& worker, std::uint64_t session, std::uint32_t version,
                   const ChannelLimits& limits);
  void CloseSession(WorkerEntry& worker);

  /// Forgets a worker that is gone for good.
  void Remove(WorkerId id);

  void MarkDirty(WorkerEntry& worker);
  /// Calls send(peer, frame) for all that the marked workers, and those whose time has come, have
  /// to send.
  template <class Send>
  void Flush(TimeMs now, Send&& send) {
    MarkDue(now);
    for (WorkerEntry* worker : TakeDirty()) {
      if (worker->channel == nullptr) continue;
      while (auto frame = worker->channel->NextFrame(now)) send(worker->peer, *std::move(frame));
      NoteDue(*worker);
    }
  }
  /// When Flush has something to do though nothing happens.
  std::optional<TimeMs> due_ms() const;

  const std::map<WorkerId, std::unique_ptr<WorkerEntry>>& all() const { return workers_; }

 private:
  void MarkDue(TimeMs now);
  std::vector<WorkerEntry*> TakeDirty();
  void NoteDue(WorkerEntry& worker);

  std::map<WorkerId, std::unique_ptr<WorkerEntry>> workers_;
  std::unordered_map<WorkerId, WorkerEntry*> by_id_;
  std::unordered_map<std::uint64_t, WorkerEntry*> by_incarnation_;
  std::unordered_map<std::uint64_t, WorkerEntry*> by_session_;  ///< Of every frame.
  std::vector<WorkerEntry*> dirty_;
  std::set<std::pair<TimeMs, WorkerId>> due_;  ///< One of each worker at most: its due_ms.
  WorkerId next_id_ = 1;
};

}  // namespace spillway
