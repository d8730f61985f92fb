#include "shuffle/engine/record_arena.h"

#include <algorithm>
#include <utility>

#include "shuffle/engine/memory_share.h"

namespace spillway {
namespace {

/// Below this, an arena that the budget refuses is not worth halving once more.
constexpr std::uint64_t kArenaBytesMin = 32 << 10;

}  // namespace

Result<RecordArena> RecordArena::Allocate(MemoryBudget& budget, const Options& options) {
  RecordArena arena;
  const std::uint64_t bytes =
      std::clamp<std::uint64_t>(options.bytes, sizeof(ArenaEntry), ArenaEntry::kArenaBytesMax);
  SPILLWAY_ASSIGN_OR_RETURN(arena.buffer_, TakeMemory(budget, {bytes, kArenaBytesMin}));
  arena.bytes_per_entry_ = sizeof(ArenaEntry) + options.spare_bytes_per_record;
  arena.pack_values_ = options.pack_values;
  const std::uint64_t entries_end = arena.buffer_.size() / sizeof(ArenaEntry);
  arena.entries_end_ = reinterpret_cast<ArenaEntry*>(arena.buffer_.data()) + entries_end;
  arena.Clear();
  return arena;
}

void RecordArena::Clear() {
  records_end_ = buffer_.data();
  entries_begin_ = entries_end_;
  room_bytes_ = static_cast<std::uint64_t>(reinterpret_cast<char*>(entries_end_) - records_end_);
}

}  // namespace spillway
