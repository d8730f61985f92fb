// SegmentLedger: the segments of one job: a log in which they became available, which one counts
// for each map task, and what lies on each worker. Owned by a JobState; not thread-safe.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "mapreduce/base/check.h"
#include "runtime/core/attempt_id.h"

namespace spillway {

class SegmentLedger {
 public:
  static constexpr std::uint32_t kNone = UINT32_MAX;

  explicit SegmentLedger(std::uint32_t maps) : entries_(maps) {}

  /// So many map tasks from now on.
  void Grow(std::uint32_t maps) { entries_.resize(maps); }

  std::uint32_t size() const { return static_cast<std::uint32_t>(entries_.size()); }

  bool has(std::uint32_t map) const { return entries_[map].position != kNone; }
  const SegmentRef& ref(std::uint32_t map) const { return log_[entries_[map].position]; }
  std::uint32_t worker_index(std::uint32_t map) const { return entries_[map].worker_index; }
  /// Where in the log it was announced.
  std::uint32_t position(std::uint32_t map) const { return entries_[map].position; }

  void Add(const SegmentRef& segment, std::uint32_t worker_index) {
    Entry& entry = entries_[segment.map_task];
    SPILLWAY_CHECK_EQ(entry.position, kNone);
    if (worker_index >= on_worker_.size()) on_worker_.resize(worker_index + 1);
    OnWorker& on = on_worker_[worker_index];
    entry = {static_cast<std::uint32_t>(log_.size()), worker_index, kNone, on.first};
    if (entry.after != kNone) entries_[entry.after].before = segment.map_task;
    on.first = segment.map_task;
    ++on.segments;
    log_.push_back(segment);
  }

  void Remove(std::uint32_t map) {
    Entry& entry = entries_[map];
    SPILLWAY_CHECK_NE(entry.position, kNone);
    log_[entry.position].attempt = kNoAttempt;
    OnWorker& on = on_worker_[entry.worker_index];
    (entry.before == kNone ? on.first : entries_[entry.before].after) = entry.after;
    --on.segments;
    if (entry.after != kNone) entries_[entry.after].before = entry.before;
    entry = Entry{};
  }

  /// A map task whose segment lies on the worker, or kNone.
  std::uint32_t FirstOn(std::uint32_t worker_index) const {
    return worker_index < on_worker_.size() ? on_worker_[worker_index].first : kNone;
  }

  /// Calls each(worker index, number of segments) for the workers that have some, and forgets all
  /// segments and map tasks.
  template <class Each>
  void Clear(Each&& each) {
    for (std::uint32_t w = 0; w < on_worker_.size(); ++w)
      if (on_worker_[w].segments > 0) each(w, on_worker_[w].segments);
    entries_.clear();
    on_worker_.clear();
    log_.clear();
  }

  std::uint32_t log_size() const { return static_cast<std::uint32_t>(log_.size()); }

  /// Calls each(span) for the stretches of the log from `from` on that still count. The spans live
  /// until the next Add.
  template <class Each>
  void ForEachStretch(std::uint32_t from, Each&& each) const {
    const std::span<const SegmentRef> log(log_);
    for (std::size_t begin = from; begin < log.size();) {
      std::size_t end = begin;
      while (end < log.size() && log[end].attempt != kNoAttempt) ++end;
      if (end > begin) each(log.subspan(begin, end - begin));
      begin = end + 1;
    }
  }

 private:
  struct Entry {
    std::uint32_t position = kNone;
    std::uint32_t worker_index = 0;
    std::uint32_t before = kNone;  // On the same worker.
    std::uint32_t after = kNone;
  };

  struct OnWorker {
    std::uint32_t first = kNone;  // A map task.
    std::uint32_t segments = 0;
  };

  std::vector<Entry> entries_;       // By map task.
  std::vector<OnWorker> on_worker_;  // By worker index.
  std::vector<SegmentRef> log_;      // A segment that is lost keeps its place, without an attempt.
};

}  // namespace spillway
