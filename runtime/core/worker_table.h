// WorkerTable: the worker processes, their slots and leases. It keeps which of them has room, and
// hands them out in turn. Owned by the scheduler; not thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "runtime/core/attempt_table.h"
#include "runtime/core/events.h"
#include "runtime/core/index_set.h"

namespace spillway {

using WorkerIndex = std::uint32_t;

/// Hosts and racks as numbers.
class PlaceNames {
 public:
  std::uint32_t Intern(const std::string& name) {
    return numbers_.try_emplace(name, static_cast<std::uint32_t>(numbers_.size())).first->second;
  }

 private:
  std::map<std::string, std::uint32_t> numbers_;
};

struct Worker {
  WorkerId id = 0;
  std::uint64_t epoch = 0;
  bool alive = false;
  bool draining = false;
  bool drained = false;  ///< WorkerDrained was said.
  bool set_aside = false;
  bool away = false;  ///< Since TakenOver; may be gone.
  bool small_jobs_only = false;
  bool runs_plans = true;  ///< See WorkerJoined.
  std::uint32_t slots = 0;
  std::uint32_t slots_taken = 0;  ///< By live and by abandoned attempts.
  std::uint32_t segments = 0;     ///< That jobs still need.
  std::uint32_t failures_in_row = 0;
  std::uint32_t host = 0;  ///< See PlaceNames.
  std::uint32_t rack = 0;
  TimeMs heard_ms = 0;
  AttemptList attempts{AttemptHook::kWorker};
  std::list<WorkerIndex>::iterator lease;

  bool present() const { return alive && !draining && !away && slots > 0; }
  bool may_run_plans() const { return alive && !draining && slots > 0 && runs_plans; }
  /// May be given attempts, now or when a slot is free.
  bool usable() const { return present() && !set_aside; }
};

class WorkerTable {
 public:
  static constexpr WorkerIndex kNone = IndexSet::kNone;

  explicit WorkerTable(PlaceNames& places) : places_(places) {}

  /// The worker with this id, in whatever epoch, or kNone.
  WorkerIndex Find(WorkerId id) const;
  /// The living worker process, or kNone.
  WorkerIndex Find(WorkerId id, std::uint64_t epoch) const;

  Worker& operator[](WorkerIndex index) { return workers_[index]; }
  const Worker& operator[](WorkerIndex index) const { return workers_[index]; }

  /// A new process of a worker that is not alive.
  WorkerIndex Join(const WorkerJoined& joined, TimeMs now);
  /// It is no longer alive; its attempts and segments must be gone already.
  void Remove(WorkerIndex index);
  void Renew(WorkerIndex index, TimeMs now);
  /// Whoever lives is away from now on, with a new lease.
  void SendAway(TimeMs now);
  void ComeBack(WorkerIndex index);
  void Drain(WorkerIndex index);

  /// `beyond`: also when none is free, for the tasks of a gang.
  void TakeSlot(WorkerIndex index, bool beyond);
  void FreeSlot(WorkerIndex index);

  void SetAside(WorkerIndex index, TimeMs until);
  /// Brings back who was set aside until now or earlier.
  void BringBack(TimeMs now);
  /// When that will next be anybody.
  std::optional<TimeMs> next_return_ms() const;

  enum class Kind : std::uint8_t { kGeneral, kSmallJobsOnly };
  /// Workers of the kind that are usable and have a free slot, one after the other; kNone when none
  /// is.
  WorkerIndex NextFree(Kind kind);
  /// How many there are.
  std::uint32_t free_workers(Kind kind) const { return pool(kind).free.size(); }
  /// Whether one of them runs plans.
  bool free_with_plans(Kind kind) const;
  std::uint32_t usable_workers(Kind kind) const { return pool(kind).usable; }
  std::uint32_t present_workers(Kind kind) const { return pool(kind).present; }
  /// That run plans and may be given attempts, now or when they are back.
  std::uint32_t with_plans(Kind kind) const { return pool(kind).with_plans; }

  /// The living worker that was heard of least recently, or kNone.
  WorkerIndex least_recent() const { return leases_.empty() ? kNone : leases_.front(); }

  /// Of all that ever joined.
  WorkerIndex size() const { return static_cast<WorkerIndex>(workers_.size()); }
  std::uint32_t alive_workers() const { return static_cast<std::uint32_t>(leases_.size()); }
  /// Of all living ones.
  bool all_run_plans() const { return without_plans_ == 0; }
  std::uint32_t slots() const { return slots_; }
  std::uint32_t slots_taken() const { return slots_taken_; }

 private:
  struct Pool {
    IndexSet free;
    WorkerIndex turn = 0;
    std::uint32_t usable = 0;
    std::uint32_t present = 0;
    std::uint32_t with_plans = 0;
  };
  Pool& pool(Kind kind) { return pools_[static_cast<std::size_t>(kind)]; }
  const Pool& pool(Kind kind) const { return pools_[static_cast<std::size_t>(kind)]; }

  /// Runs `change`, then brings the worker's pool in line with it.
  template <class Change>
  void Update(WorkerIndex index, Change&& change);

  struct Absence {
    TimeMs until_ms;
    WorkerIndex worker;
    std::uint64_t epoch;
  };

  std::unordered_map<WorkerId, WorkerIndex> by_id_;
  std::vector<Worker> workers_;
  PlaceNames& places_;
  std::array<Pool, 2> pools_;
  std::list<WorkerIndex> leases_;  // Living workers by time heard of.
  std::deque<Absence> absences_;   // By time; all last equally long.
  std::uint32_t slots_ = 0;
  std::uint32_t slots_taken_ = 0;
  std::uint32_t without_plans_ = 0;  ///< Of those alive.
};

}  // namespace spillway
