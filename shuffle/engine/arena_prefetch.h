// Asking the memory for records in sorted order ahead of their use: sorted entries point all over
// the arena, and every record would be a miss. Pure.
#pragma once

#include <cstddef>
#include <span>

#include "shuffle/sort/arena_entry.h"

namespace spillway {

inline constexpr std::size_t kPrefetchRecords = 16;
inline constexpr std::size_t kCacheLineBytes = 64;

/// Called before sorted[at] is read. The first two lines hold all of a small record; of a large
/// one, the processor's own prefetcher finds the rest.
inline void PrefetchRecord(const char* arena, std::span<const ArenaEntry> sorted, std::size_t at) {
  if (at + kPrefetchRecords >= sorted.size()) return;
  const char* ahead = arena + sorted[at + kPrefetchRecords].offset();
  __builtin_prefetch(ahead);
  __builtin_prefetch(ahead + kCacheLineBytes);
}

}  // namespace spillway
