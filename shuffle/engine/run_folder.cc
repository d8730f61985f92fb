#include "shuffle/engine/run_folder.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "shuffle/engine/arena_prefetch.h"

namespace spillway {
namespace {

/// The part of a collector's share that it may take.
constexpr std::uint64_t kShare = 16;

/// Room for the table's first slots and for some states and long keys.
std::uint64_t TableBytes(const FoldOptions& fold) {
  return FoldTable::kRegionBytesMin + std::uint64_t{256} * fold.state_bytes;
}

std::uint64_t StatesBytes(const FoldOptions& fold) {
  return fold.state_bytes == kInlineStateBytes ? 0 : RunFolder::kWindow * fold.state_bytes;
}

std::string_view KeyAt(const char* arena, const ArenaEntry& entry) {
  return ArenaRecord(arena + entry.offset()).key_view();
}

/// Equal keys have been looked at to the same depth, so entries that differ need no further look.
bool SameKey(const char* arena, const ArenaEntry& a, const ArenaEntry& b) {
  return a.high == b.high && KeyAt(arena, a) == KeyAt(arena, b);
}

}  // namespace

std::uint64_t RunFolder::Bytes(const CollectorOptions& options) {
  if (options.fold == nullptr || !options.order.is_bytes()) return 0;
  const std::uint64_t bytes = TableBytes(*options.fold) + StatesBytes(*options.fold);
  return bytes <= options.memory_bytes / kShare ? bytes : 0;
}

std::unique_ptr<RunFolder> RunFolder::Make(const CollectorOptions& options, SegmentWriter& writer) {
  const std::uint64_t bytes = Bytes(options);
  if (bytes == 0) return nullptr;
  Result<Buffer> memory = Buffer::Allocate(*options.budget, bytes);
  if (!memory.ok()) return nullptr;
  return std::unique_ptr<RunFolder>(
      new RunFolder(*options.fold, writer, std::move(memory).value()));
}

RunFolder::RunFolder(const FoldOptions& fold, SegmentWriter& writer, Buffer memory)
    : writer_(writer),
      state_bytes_(fold.state_bytes),
      memory_(std::move(memory)),
      table_(fold, std::span(memory_.data(), TableBytes(fold))),
      states_(memory_.data() + TableBytes(fold)) {}

Status RunFolder::Write(const char* arena, std::span<const ArenaEntry> sorted,
                        std::uint32_t partition) {
  while (!sorted.empty()) {
    std::size_t count = std::min(kWindow, sorted.size());
    if (count < kWindow || !SameKey(arena, sorted[0], sorted[count - 1])) {
      SPILLWAY_RETURN_IF_ERROR(Copy(arena, sorted, count, partition));
    } else {
      while (count < sorted.size() && SameKey(arena, sorted[0], sorted[count])) ++count;
      SPILLWAY_RETURN_IF_ERROR(Fold(arena, sorted.first(count), partition));
    }
    sorted = sorted.subspan(count);
  }
  return OkStatus();
}

// Takes all that is left, so that records are asked for beyond the ones to be written.
Status RunFolder::Copy(const char* arena, std::span<const ArenaEntry> sorted, std::size_t count,
                       std::uint32_t partition) {
  for (std::size_t i = 0; i < count; ++i) {
    PrefetchRecord(arena, sorted, i);
    SPILLWAY_RETURN_IF_ERROR(
        writer_.Add(partition, ArenaRecord(arena + sorted[i].offset()).encoded()));
  }
  records_out_ += count;
  return OkStatus();
}

Status RunFolder::Fold(const char* arena, std::span<const ArenaEntry> entries,
                       std::uint32_t partition) {
  if (!table_.Fits(ArenaRecord(arena + entries[0].offset()).record()))
    return Copy(arena, entries, entries.size(), partition);
  std::array<Record, kWindow> records;
  for (std::size_t at = 0; at < entries.size();) {
    const std::size_t count = std::min(kWindow, entries.size() - at);
    for (std::size_t i = 0; i < count; ++i) {
      PrefetchRecord(arena, entries, at + i);
      records[i] = ArenaRecord(arena + entries[at + i].offset()).record();
      // The table takes states as the emitter gives them; in the arena they lie as bytes.
      const char* const state = records[i].value;
      if (state_bytes_ == kInlineStateBytes) {
        std::memcpy(&records[i].value, state, kInlineStateBytes);
      } else {
        char* const aligned = states_ + i * state_bytes_;
        std::memcpy(aligned, state, state_bytes_);
        records[i].value = aligned;
      }
    }
    SPILLWAY_CHECK_EQ(table_.Fold({records.data(), count}), count);
    at += count;
  }
  const std::span<FoldSlot> slots = table_.Compact();
  SPILLWAY_CHECK_EQ(slots.size(), 1u);
  const FoldSlot& slot = slots[0];
  const Status written = writer_.Add(
      partition,
      Record{slot.key_data(), slot.state_data(state_bytes_), slot.key_bytes(), state_bytes_});
  table_.Clear();
  ++records_out_;
  return written;
}

}  // namespace spillway
