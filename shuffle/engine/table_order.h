// TableOrder: the entries of a FoldTable in the order of a run, by partition and then by key. It
// works in the table's own memory. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "shuffle/engine/collector.h"
#include "shuffle/engine/fold_sorter.h"
#include "shuffle/engine/fold_table.h"

namespace spillway {

class TableOrder {
 public:
  /// Compacts the table; it and the options outlive the order.
  TableOrder(FoldTable& table, const CollectorOptions& options);

  /// Finds each key's partition. UserCode for one that does not exist.
  Status AssignPartitions();

  /// Afterwards: the entries of a partition, sorted by this call.
  std::span<const FoldEntry> Sort(std::uint32_t partition);

  const FoldSlot& slot(const FoldEntry& entry) const { return slots_[entry.slot()]; }

  /// Called before the entry at `at` is used: sorted order visits slots at random.
  void PrefetchSlot(std::span<const FoldEntry> part, std::size_t at) const {
    if (at + kPrefetchSlots < part.size()) __builtin_prefetch(&slot(part[at + kPrefetchSlots]));
  }

 private:
  static constexpr std::size_t kPrefetchSlots = 12;

  void FillEntries();

  const CollectorOptions& options_;
  std::span<FoldSlot> slots_;
  std::span<FoldEntry> entries_;
  std::vector<std::uint64_t> bounds_;  ///< partition p is entries_[bounds_[p], bounds_[p + 1])
  FoldSorter sorter_;
};

/// Partitions of a batch of records; all 0 when the job has one. UserCode for a partition that does
/// not exist.
Status ChoosePartitions(const CollectorOptions& options, std::span<const Record> records,
                        std::uint32_t* out);

}  // namespace spillway
