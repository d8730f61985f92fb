#include "shuffle/sort/partition_buckets.h"

#include <algorithm>
#include <utility>

#include "mapreduce/base/check.h"

namespace spillway {
namespace {

/// Two cache lines.
constexpr std::size_t kPrefetchEntries = 8;

}  // namespace

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
      for (std::uint32_t home; (home = moving.partition()) != p;) {
        ArenaEntry* const place = entries.data() + heads_[home]++;
        // Each step waits for the entry that the last one found. Buckets fill from their front, so
        // that it can at least be in the cache.
        __builtin_prefetch(place + kPrefetchEntries, 1);
        std::swap(moving, *place);
      }
      entries[heads_[p]++] = moving;
    }
  }
}

void PartitionBuckets::Clear() {
  entries_ = {};
  std::fill(ends_.begin(), ends_.end(), 0);
}

}  // namespace spillway
