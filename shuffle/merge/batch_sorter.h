// BatchSorter: puts the entries of a merge batch in order. One thread.
//
// A batch is a narrow piece of all keys, and within such a piece keys are mostly spread evenly. So
// the first step is a distribution: the range of prefixes is cut into about as many buckets as
// there are entries, and one scatter brings almost every entry to its place. What is left to do
// inside the buckets is little; a crowded one goes to the vectorised sort, and so nothing is worse
// than that alone. Entries with equal prefixes of long keys are then ordered by the bytes behind.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "shuffle/merge/sort_entry.h"

namespace spillway {

class BatchSorter {
 public:
  explicit BatchSorter(std::size_t entries_max);

  static constexpr std::uint64_t kBytesPerEntry = 2 * sizeof(SortEntry) + 2 * sizeof(std::uint32_t);

  /// Where a batch is gathered: room for entries_max entries.
  SortEntry* entries() { return entries_.get(); }

  /// Sorts the first `count` entries by (key, index) and marks each but the first whose key
  /// differs from the one before. `records[entry.index()]` is the record; all keys share their
  /// first `skip` bytes. The result is valid until the next call.
  std::span<const SortEntry> SortAndMark(std::size_t count, const Record* records,
                                         std::size_t skip);

  /// The same for entries that are in order.
  std::span<const SortEntry> MarkSorted(std::size_t count, const Record* records, std::size_t skip);

 private:
  std::span<SortEntry> Sort(std::size_t count);

  const std::size_t entries_max_;
  std::unique_ptr<SortEntry[]> entries_;
  std::unique_ptr<SortEntry[]> sorted_;
  std::unique_ptr<std::uint32_t[]> bucket_ends_;
};

}  // namespace spillway
