// PartitionBuckets: brings the entries of each partition together, in place, by their counts. One
// thread.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "shuffle/sort/arena_entry.h"

namespace spillway {

class PartitionBuckets {
 public:
  explicit PartitionBuckets(std::uint32_t partitions) : ends_(partitions), heads_(partitions) {}

  /// One more entry of `partition`.
  void Count(std::uint32_t partition) { ++ends_[partition]; }

  /// Moves `entries`, all of which were counted, so that those of partition p are bucket(p). The
  /// order within a bucket is lost: sorting finds it again by the offsets. Each entry moves once;
  /// with one partition none does.
  void Distribute(std::span<ArenaEntry> entries);

  /// Valid after Distribute.
  std::span<ArenaEntry> bucket(std::uint32_t partition) const {
    const std::uint64_t begin = partition == 0 ? 0 : ends_[partition - 1];
    return entries_.subspan(begin, ends_[partition] - begin);
  }

  std::uint32_t partitions() const { return static_cast<std::uint32_t>(ends_.size()); }

  /// Forgets entries and counts.
  void Clear();

 private:
  std::span<ArenaEntry> entries_;
  std::vector<std::uint64_t> ends_;   ///< Counts until Distribute.
  std::vector<std::uint64_t> heads_;  ///< Where each bucket's next entry goes.
};

}  // namespace spillway
