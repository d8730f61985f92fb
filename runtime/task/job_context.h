// JobContext: what all tasks of a job share, and AttemptControl: what one running attempt shares
// with the shell that started it.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "runtime/task/plugin_library.h"
#include "runtime/task/slot_board.h"
#include "shuffle/engine/collector.h"
#include "shuffle/format/block_hash.h"
#include "shuffle/record/key_order.h"

namespace spillway {

/// Immutable while tasks run; any thread.
struct JobContext {
  const PluginJob* plugin = nullptr;
  std::uint64_t job = 0;                          ///< The number in segment ids.
  std::map<std::string, std::string> side_files;  ///< Name -> path.
  /// By file index, for TaskContext::input_path. Empty: map tasks know those that they read.
  std::vector<std::string> input_names;
  std::uint32_t partitions = 0;
  bool writes_result = true;            ///< Not a stage of a chain whose output another one reads.
  std::vector<std::string> range_cuts;  ///< For SPILLWAY_PARTITION_RANGE.

  const spillway_job& abi() const { return plugin->abi(); }
  /// Values travel packed by key where a task may gather them: map and reduce tasks must agree.
  bool packs_values() const {
    return abi().fold_kind == SPILLWAY_FOLD_NONE && abi().combiner_run == nullptr &&
           abi().compare == nullptr;
  }
  /// What can be told of a map task's output wherever its runs were cut: nothing of what a
  /// combiner or a fold makes of each run.
  RecordHash record_hash() const {
    if (packs_values()) return RecordHash::kPackedValues;
    const bool plain = abi().fold_kind == SPILLWAY_FOLD_NONE && abi().combiner_run == nullptr;
    return plain ? RecordHash::kRecords : RecordHash::kNone;
  }
  KeyOrder order() const { return {abi().compare, abi().group_bytes, abi().same_group}; }
};

/// Written by the attempt's thread, read by the shell; and the other way round for cancel.
class AttemptControl {
 public:
  /// Where the attempt shows what it is at; null: nowhere. Set before the attempt starts.
  void set_slot(BoardSlot* slot) { slot_ = slot; }
  BoardSlot* slot() const { return slot_; }

  void Cancel() { cancelled_.store(true, std::memory_order_relaxed); }
  bool cancelled() const { return cancelled_.load(std::memory_order_relaxed); }

  /// Every step of the attempt moves it; a value that stands still for long is a hang.
  void AddProgress() { progress_.fetch_add(1, std::memory_order_relaxed); }
  std::uint64_t progress() const { return progress_.load(std::memory_order_relaxed); }

  /// Input bytes that are done, for displays and for finding slow attempts.
  void AddInputBytes(std::uint64_t bytes) {
    AddProgress();
    input_bytes_.fetch_add(bytes, std::memory_order_relaxed);
  }
  std::uint64_t input_bytes() const { return input_bytes_.load(std::memory_order_relaxed); }

  void set_status(std::string text) {
    const std::lock_guard lock(mutex_);
    status_ = std::move(text);
  }
  std::string status() const {
    const std::lock_guard lock(mutex_);
    return status_;
  }

 private:
  BoardSlot* slot_ = nullptr;
  std::atomic<bool> cancelled_{false};
  std::atomic<std::uint64_t> progress_{0};
  std::atomic<std::uint64_t> input_bytes_{0};
  mutable std::mutex mutex_;
  std::string status_;  // Guarded by mutex_.
};

using CounterValues = std::map<std::string, std::map<std::string, std::uint64_t>>;

}  // namespace spillway
