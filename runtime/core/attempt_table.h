// AttemptTable: the live attempts of all jobs, in slots that are used again, threaded on lists by
// index. Owned by the scheduler; not thread-safe.
#pragma once

#include <cstdint>
#include <vector>

#include "runtime/core/actions.h"
#include "runtime/core/attempt_id.h"

namespace spillway {

class JobState;

using AttemptIndex = std::uint32_t;
inline constexpr AttemptIndex kNoIndex = UINT32_MAX;

/// The lists that an attempt can be on at once.
enum class AttemptHook : std::uint8_t {
  kMoved,    ///< Its job's running attempts of one kind, or all stopping ones; by time moved.
  kStarted,  ///< Its job's running attempts of one kind, by time started.
  kWorker,   ///< Its worker's live attempts.
};
inline constexpr std::size_t kAttemptHooks = 3;

struct Attempt {
  struct Links {
    AttemptIndex before = kNoIndex;
    AttemptIndex after = kNoIndex;
  };

  AttemptId id;
  JobState* job = nullptr;
  std::uint32_t worker = 0;  ///< Index in the worker table.
  bool stopping = false;
  bool backup = false;
  StopReason stop_reason = StopReason::kJobEnding;  ///< When stopping.
  float fraction = 0;
  TimeMs started_ms = 0;
  TimeMs moved_ms = 0;                   ///< Last progress; when stopping, since when.
  std::uint32_t announced = 0;           ///< Up to here in the job's segment log.
  AttemptIndex next_of_task = kNoIndex;  ///< Live attempts of one task.
  Links links[kAttemptHooks];
};

/// A doubly linked list through the table.
struct AttemptList {
  AttemptHook hook;
  AttemptIndex front = kNoIndex;
  AttemptIndex back = kNoIndex;
  std::uint32_t size = 0;

  bool empty() const { return size == 0; }
};

class AttemptTable {
 public:
  AttemptIndex Add() {
    if (free_.empty()) {
      slots_.emplace_back();
      return static_cast<AttemptIndex>(slots_.size() - 1);
    }
    const AttemptIndex index = free_.back();
    free_.pop_back();
    slots_[index] = Attempt{};
    return index;
  }

  /// The attempt must be on no list.
  void Remove(AttemptIndex index) { free_.push_back(index); }

  /// Valid until the next Add.
  Attempt& operator[](AttemptIndex index) { return slots_[index]; }
  const Attempt& operator[](AttemptIndex index) const { return slots_[index]; }

  void PushBack(AttemptList& list, AttemptIndex index) {
    Attempt::Links& links = LinksOf(list, index);
    links = {list.back, kNoIndex};
    (list.back == kNoIndex ? list.front : LinksOf(list, list.back).after) = index;
    list.back = index;
    ++list.size;
  }

  void Unlink(AttemptList& list, AttemptIndex index) {
    const Attempt::Links links = LinksOf(list, index);
    (links.before == kNoIndex ? list.front : LinksOf(list, links.before).after) = links.after;
    (links.after == kNoIndex ? list.back : LinksOf(list, links.after).before) = links.before;
    --list.size;
  }

  void MoveToBack(AttemptList& list, AttemptIndex index) {
    if (list.back == index) return;
    Unlink(list, index);
    PushBack(list, index);
  }

  AttemptIndex After(const AttemptList& list, AttemptIndex index) const {
    return slots_[index].links[static_cast<std::size_t>(list.hook)].after;
  }

 private:
  Attempt::Links& LinksOf(const AttemptList& list, AttemptIndex index) {
    return slots_[index].links[static_cast<std::size_t>(list.hook)];
  }

  std::vector<Attempt> slots_;
  std::vector<AttemptIndex> free_;
};

}  // namespace spillway
