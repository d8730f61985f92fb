// FoldKernel: the loop that folds a batch of records into the slots of a FoldTable. It is compiled
// once per fold kind and instruction set and chosen at run time. FoldTable owns the space and keeps
// room in it; nobody else calls this. One thread.
#pragma once

#include <cstddef>
#include <cstdint>

#include "shuffle/engine/fold_slot.h"
#include "shuffle/record/record.h"

namespace spillway {

/// An associative, commutative and exact operation on a state of fixed size (mapreduce/abi.h).
struct FoldOptions {
  std::uint32_t kind = SPILLWAY_FOLD_SUM_U64;     ///< spillway_fold_kind, or kLocateStates.
  std::uint32_t state_bytes = kInlineStateBytes;  ///< A multiple of 8; 8 for all built-in kinds.
  /// For SPILLWAY_FOLD_CUSTOM.
  void (*combine)(void* const* states, const void* const* values, std::size_t count) = nullptr;
  /// Take the loop that runs on any machine, so that tests can compare it with the fast ones.
  bool portable = false;
};

/// As FoldOptions::kind: folds nothing, but tells where each record's state is. States begin as 0.
inline constexpr std::uint32_t kLocateStates = UINT32_MAX;

/// Records that one call of a kernel takes at most.
inline constexpr std::size_t kKernelRecordsMax = 1024;

/// The memory of a table: slots from its bottom up, and from its top down a heap of what does not
/// fit slots (long keys and wide states).
struct FoldSpace {
  FoldSlot* slots = nullptr;
  std::uint64_t slot_count = 0;
  std::uint64_t size = 0;  ///< Slots in use.
  char* heap = nullptr;    ///< Lowest byte of the heap in use, 8-byte aligned.
  std::uint32_t state_bytes = kInlineStateBytes;
  void (*combine)(void* const*, const void* const*, std::size_t) = nullptr;
  /// For kLocateStates: where the kernel writes the place of each taken record's state.
  std::uint64_t** located = nullptr;

  /// A hash's home grows with the hash, whatever the number of slots: tables stay in hash order
  /// (but for collisions), and growth moves entries in one sweep.
  static std::uint64_t HomeOf(std::uint32_t hash, std::uint64_t count) {
    return hash * count >> 32;
  }

  std::uint64_t heap_free_bytes() const {
    return static_cast<std::uint64_t>(heap - reinterpret_cast<const char*>(slots + slot_count));
  }

  /// Heap bytes that an entry takes.
  std::uint64_t HeapBytes(std::uint32_t key_bytes) const {
    const std::uint64_t key = key_bytes <= kInlineKeyBytes ? 0 : (key_bytes + 7) / 8 * 8;
    return key + (state_bytes == kInlineStateBytes ? 0 : state_bytes);
  }

  /// Fills the empty `slot` with the record, whose HeapBytes() are free. `inline_key` is the
  /// zero-padded key, if it is short enough.
  void Insert(FoldSlot* slot, std::uint64_t tag, const Record& record, const void* inline_key);
};

/// Folds records[0..count), count <= kKernelRecordsMax, in order. The space has empty slots for
/// `count` new keys and heap for their states. Returns how many were taken: fewer than count when
/// the heap has no room for a long key.
using FoldKernel = std::size_t (*)(FoldSpace& space, const Record* records, std::size_t count);

/// The fastest kernel that this machine runs.
FoldKernel ChooseFoldKernel(const FoldOptions& options);

}  // namespace spillway
