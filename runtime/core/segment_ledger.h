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

  bool has(std::uint32_t map) const { return entries_[map].position != kNone; }
  const SegmentRef& ref(std::uint32_t map) const { return log_[entries_[map].position]; }
  std::uint32_t worker_index(std::uint32_t map) const { return entries_[map].worker_index; }
  /// Where in the log it was announced.
  std::uint32_t position(std::uint32_t map) const { return entries_[map].position; }

  void Add(const SegmentRef& segment, std::uint32_t worker_index) {
    Entry& entry = entries_[segment.map_task];
    SPILLWAY_CHECK_EQ(entry.position, kNone);
    if (worker_index >= firsts_.size()) firsts_.resize(worker_index + 1, kNone);
    entry = {static_cast<std::uint32_t>(log_.size()), worker_index, kNone, firsts_[worker_index]};
    if (entry.after != kNone) entries_[entry.after].before = segment.map_task;
    firsts_[worker_index] = segment.map_task;
    log_.push_back(segment);
  }

  void Remove(std::uint32_t map) {
    Entry& entry = entries_[map];
    SPILLWAY_CHECK_NE(entry.position, kNone);
    log_[entry.position].attempt = kNoAttempt;
    (entry.before == kNone ? firsts_[entry.worker_index] : entries_[entry.before].after) =
        entry.after;
    if (entry.after != kNone) entries_[entry.after].before = entry.before;
    entry = Entry{};
  }

  /// A map task whose segment lies on the worker, or kNone.
  std::uint32_t FirstOn(std::uint32_t worker_index) const {
    return worker_index < firsts_.size() ? firsts_[worker_index] : kNone;
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

  std::vector<Entry> entries_;         // By map task.
  std::vector<std::uint32_t> firsts_;  // By worker index: a map task.
  std::vector<SegmentRef> log_;  // A segment that is lost keeps its place, without an attempt.
};

}  // namespace spillway
