#include "shuffle/engine/record_arena.h"

#include <algorithm>
#include <utility>

namespace spillway {
namespace {

/// Below this, an arena that the budget refuses is not worth halving once more.
constexpr std::uint64_t kArenaBytesMin = 64 << 10;

Result<Buffer> AllocateUpTo(MemoryBudget& budget, std::uint64_t bytes) {
  for (; bytes > kArenaBytesMin; bytes /= 2) {
    Result<Buffer> buffer = Buffer::Allocate(budget, bytes);
    if (buffer.ok()) return buffer;
  }
  return Buffer::AllocateForced(budget, bytes);
}

}  // namespace

Result<RecordArena> RecordArena::Allocate(MemoryBudget& budget, const Options& options) {
  RecordArena arena;
  const std::uint64_t bytes =
      std::clamp<std::uint64_t>(options.bytes, sizeof(ArenaEntry), ArenaEntry::kArenaBytesMax);
  SPILLWAY_ASSIGN_OR_RETURN(arena.buffer_, AllocateUpTo(budget, bytes));
  arena.bytes_per_entry_ = sizeof(ArenaEntry) + options.spare_bytes_per_record;
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
