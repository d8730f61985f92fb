#include "shuffle/sort/partition_buckets.h"

#include <algorithm>
#include <utility>

#include "mapreduce/base/check.h"

namespace spillway {

void PartitionBuckets::Distribute(std::span<ArenaEntry> entries) {
  entries_ = entries;
  std::uint64_t end = 0;
  for (std::uint32_t p = 0; p < partitions(); ++p) {
    heads_[p] = end;
    end += ends_[p];
    ends_[p] = end;
  }
  SPILLWAY_CHECK_EQ(end, entries.size());
  if (partitions() == 1) return;
  // Takes an entry out of its place, puts it where it belongs and goes on with the one that lay
  // there, until one belongs into the hole.
  for (std::uint32_t p = 0; p < partitions(); ++p) {
    while (heads_[p] < ends_[p]) {
      ArenaEntry moving = entries[heads_[p]];
      for (std::uint32_t home; (home = moving.partition()) != p;)
        std::swap(moving, entries[heads_[home]++]);
      entries[heads_[p]++] = moving;
    }
  }
}

void PartitionBuckets::Clear() {
  entries_ = {};
  std::fill(ends_.begin(), ends_.end(), 0);
}

}  // namespace spillway
