// RunFolder: writes one partition of a sorted run of states, with the states of keys that occur
// very often folded into one. It is what a fold that stepped aside still does for its heaviest
// keys: most keys hardly repeat, and looking at each of them would cost more than it saves, but one
// that fills a window of entries ends its partition's balance when all its states travel. One
// thread.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "shuffle/engine/collector.h"
#include "shuffle/engine/fold_table.h"
#include "shuffle/sort/arena_entry.h"
#include "shuffle/store/memory_budget.h"

namespace spillway {

class RunFolder {
 public:
  /// Entries whose first and last one are compared. Of a key with twice as many or more in a run,
  /// at most so many records are written.
  static constexpr std::size_t kWindow = 64;

  /// What it takes of the share. 0: there is none, because options.fold is not set, or the share
  /// has no room, or keys are not ordered by their bytes, so that equal ones may lie apart.
  static std::uint64_t Bytes(const CollectorOptions& options);

  /// Null when there is none, or the budget has nothing left.
  static std::unique_ptr<RunFolder> Make(const CollectorOptions& options, SegmentWriter& writer);

  /// Writes the records of `sorted` to the writer's open run.
  Status Write(const char* arena, std::span<const ArenaEntry> sorted, std::uint32_t partition);

  /// Written so far.
  std::uint64_t records_out() const { return records_out_; }

 private:
  RunFolder(const FoldOptions& fold, SegmentWriter& writer, Buffer memory);
  Status Copy(const char* arena, std::span<const ArenaEntry> sorted, std::size_t count,
              std::uint32_t partition);
  Status Fold(const char* arena, std::span<const ArenaEntry> entries, std::uint32_t partition);

  SegmentWriter& writer_;
  const std::uint32_t state_bytes_;
  Buffer memory_;  ///< The table's, then that of states_.
  FoldTable table_;
  char* const states_;  ///< Of a window, where they are wide: the table wants them aligned.
  std::uint64_t records_out_ = 0;
};

}  // namespace spillway
