// SortEntry: a record of a merge batch as 16 bytes that sort as one 128-bit number into the order
// (key, index): exactly for keys of up to 8 bytes, up to ties for longer ones. Pure; no thread
// affinity.
//
//   high  8 key bytes behind `skip` (those that all keys share), zero-padded, as a number
//   low   bit 63      set afterwards: the key differs from that of the entry before
//         bits 32-35  length class: key bytes behind `skip`, 9 for all longer keys. It tells "a"
//                     from "a\0", so that only class 9 ever needs a look at the key itself
//         bits 0-31   index into the batch, in (rank, arrival) order
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "shuffle/merge/padded_key.h"
#include "shuffle/sort/number_sort.h"

namespace spillway {

struct SortEntry : Number128 {
  static constexpr std::uint64_t kNewKey = std::uint64_t{1} << 63;
  static constexpr std::uint64_t kLongKey = 9;

  std::uint32_t index() const { return static_cast<std::uint32_t>(low); }
  bool is_long() const { return (low >> 32 & 15) == kLongKey; }
  bool begins_key() const { return (low & kNewKey) != 0; }

  /// True also for different keys that are both long.
  bool Ties(const SortEntry& other) const {
    return high == other.high && ((low ^ other.low) >> 32 & 15) == 0;
  }
};

static_assert(SortsAsNumber<SortEntry>);

/// `prefix` is PaddedPrefix(key, skip).
inline SortEntry MakeSortEntry(std::string_view key, std::size_t skip, std::uint64_t prefix,
                               std::size_t index) {
  const std::size_t left = key.size() <= skip ? 0 : key.size() - skip;
  const std::uint64_t length_class = left > 8 ? SortEntry::kLongKey : left;
  return {{.low = length_class << 32 | index, .high = prefix}};
}

}  // namespace spillway
