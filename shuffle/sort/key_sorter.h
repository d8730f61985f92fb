// KeySorter: sorts the entries of one partition by (key, arrival). One thread.
//
// Most orders are decided by the 8 key bytes in the entry. What they leave undecided is settled
// like in a radix sort from the most significant digit, with 8 bytes for a digit: a run of entries
// that agree in all bytes up to some depth gets the next 8 bytes and is sorted again. Three things
// keep this linear in the bytes of the keys: a run that agrees in a whole digit skips all that it
// has in common at once; keys that have ended are never looked at again; and the runs wait on a
// stack of our own, which is no deeper than there are strictly nested runs.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "shuffle/record/key_order.h"
#include "shuffle/sort/arena_entry.h"

namespace spillway {

class KeySorter {
 public:
  /// Entries' offsets count from `arena`. SPILLWAY_PADDING_BYTES behind every record are readable.
  explicit KeySorter(const char* arena, SortKernel kernel = SortKernel::kFastest)
      : arena_(arena), kernel_(kernel) {}

  /// Sorts by CompareBytes of the keys, then by offset. The entries come with depth 0 (see
  /// ArenaEntry) and leave with any: only their offsets mean something afterwards.
  void Sort(std::span<ArenaEntry> bucket);

  /// The same for a custom order, which looks at the keys only. Takes up to 8 bytes of heap per
  /// entry; any order, a senseless one too, ends in some permutation.
  void SortBy(const KeyOrder& order, std::span<ArenaEntry> bucket) const;

 private:
  /// Sorted entries at `depth`, in which ties are still to be found from `next` on.
  struct Run {
    std::span<ArenaEntry> entries;
    std::uint64_t depth;
    std::size_t next = 0;
  };

  /// What the digit of a run's entries is like.
  struct Digit {
    std::uint64_t differing_bits = 0;  ///< Of `high`.
    std::uint64_t class_min = ArenaEntry::kLongClass;
    std::uint64_t class_max = 0;

    bool differs() const { return differing_bits != 0 || class_min != class_max; }
    std::uint64_t common_bytes() const;
  };

  std::uint64_t SkipCommonPrefix(std::span<ArenaEntry> bucket) const;
  void SettleTies(std::span<ArenaEntry> sorted, std::uint64_t depth);
  void Settle(std::span<ArenaEntry> tied, std::uint64_t depth);
  std::span<ArenaEntry> NextTie(Run& run) const;
  void PrefetchTie(const Run& run, std::size_t at) const;

  static Digit Survey(std::span<const ArenaEntry> entries);
  void LookAt(std::span<ArenaEntry> entries, std::uint64_t depth) const;
  std::uint64_t CommonBytesFrom(std::span<const ArenaEntry> entries, std::uint64_t depth) const;
  std::string_view KeyOf(const ArenaEntry& entry) const {
    return ArenaRecord(arena_ + entry.offset()).key_view();
  }

  const char* arena_;
  SortKernel kernel_;
  std::vector<Run> runs_;
};

}  // namespace spillway
