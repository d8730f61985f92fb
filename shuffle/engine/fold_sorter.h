// FoldSorter: sorts the entries of one partition of a fold's table by key. The keys differ from
// each other. One thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include "shuffle/engine/fold_slot.h"
#include "shuffle/record/key_order.h"
#include "shuffle/sort/number_sort.h"

namespace spillway {

/// A slot as 16 bytes that sort as one 128-bit number:
///
///   high  8 key bytes from some depth on, as a number, zero-padded
///   low   bits 60-63  how many key bytes there are from that depth on, 9 for all beyond 8: tells
///                     "a" from "a\0", so that only keys which go on can tie
///         bits 0-59   index of the slot
struct FoldEntry : Number128 {
  static constexpr unsigned kClassShift = 60;
  static constexpr std::uint64_t kPrefixBytes = 8;
  static constexpr std::uint64_t kLongClass = kPrefixBytes + 1;
  static constexpr std::uint64_t kSlotMask = (std::uint64_t{1} << kClassShift) - 1;

  static FoldEntry Make(std::uint64_t index, const FoldSlot& slot) {
    const auto length_class = std::min<std::uint64_t>(slot.key_bytes(), kLongClass);
    return {{.low = length_class << kClassShift | index, .high = slot.key_prefix()}};
  }

  std::uint64_t slot() const { return low & kSlotMask; }

  /// Looks at the key bytes from `depth` on; for entries that tied before there.
  void LookAt(std::string_view key, std::uint64_t depth) {
    const std::string_view rest = key.substr(depth);
    high = KeyPrefix(rest.data(), static_cast<std::uint32_t>(rest.size()));
    low = slot() | std::min<std::uint64_t>(rest.size(), kLongClass) << kClassShift;
  }

  bool Ties(const FoldEntry& other) const {
    return high == other.high && (low & other.low) >> kClassShift == kLongClass;
  }
};
static_assert(SortsAsNumber<FoldEntry>);

class FoldSorter {
 public:
  FoldSorter(std::span<const FoldSlot> slots, const KeyOrder& order)
      : slots_(slots), order_(order) {}

  /// The entries come as Make() made them. Keys that a custom order finds equal are sorted by
  /// their bytes; an order that contradicts itself ends in some permutation.
  void Sort(std::span<FoldEntry> part) const;

 private:
  void SortBytes(std::span<FoldEntry> entries, std::uint64_t depth) const;
  void SortFew(std::span<FoldEntry> entries) const;
  std::string_view KeyOf(const FoldEntry& entry) const { return slots_[entry.slot()].key_view(); }

  std::span<const FoldSlot> slots_;
  const KeyOrder& order_;
};

}  // namespace spillway
