// FoldTable: the hash table of a fold (word count's words with their counts). Open addressing with
// linear probing in a fixed region of memory, of which it touches no more than it needs: it begins
// small, grows in place and answers "full" instead of taking more. FoldCollector owns it. One
// thread.
//
//   region | slots: grow by doubling --> |  free  | <-- heap: long keys, wide states | padding |
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "shuffle/engine/fold_kernel.h"
#include "shuffle/engine/fold_slot.h"

namespace spillway {

class FoldTable {
 public:
  /// The smallest region that a table works in.
  static constexpr std::uint64_t kRegionBytesMin = 16 << 10;

  /// `region` has any content, is aligned to 64 bytes, and outlives the table.
  FoldTable(const FoldOptions& options, std::span<char> region);

  /// Folds the records in order until the table is full; returns how many it took. Keys and states
  /// are copied. When it is full depends on the records and their batches, not on the machine.
  std::size_t Fold(std::span<const Record> records);

  /// For a table of kind kLocateStates, instead of Fold: takes up to kKernelRecordsMax of the
  /// records, fewer when the table is full, and notes where their states are. The places are valid
  /// until the next call. Returns how many it took.
  std::size_t Locate(std::span<const Record> records, std::uint64_t** states);

  /// `bytes` of the heap, a multiple of 8, aligned to 8, until Clear(). Null: the table is full.
  char* TakeHeap(std::uint64_t bytes) {
    if (bytes > space_.heap_free_bytes()) return nullptr;
    return space_.heap -= bytes;
  }

  /// False for a key so large that it should not push others out of the table. An empty table
  /// takes any record that fits.
  bool Fits(const Record& record) const;

  /// False when states are so wide that the region holds too few of them for folding.
  bool StatesFit() const;

  /// Distinct keys.
  std::uint64_t size() const { return space_.size; }
  std::uint64_t slot_count() const { return space_.slot_count; }
  std::uint32_t state_bytes() const { return space_.state_bytes; }

  /// Moves all entries to the front, in no particular order, and ends folding until Clear().
  std::span<FoldSlot> Compact();

  /// After Compact(): unused memory behind the entries, at least 16 bytes for each of them.
  std::span<char> spare() const;

  /// Empties the table; it stays about as large, as the next round will need that again.
  void Clear();

 private:
  std::uint64_t bytes() const { return static_cast<std::uint64_t>(heap_top_ - region_.data()); }
  std::uint64_t RoomForKeys() const;
  bool MakeRoom();
  bool Grow();
  std::uint64_t SlotsToAfford() const;
  void Spread(std::uint64_t slot_count);

  FoldSpace space_;
  FoldKernel kernel_;
  const bool heap_is_shared_;  ///< With somebody who calls TakeHeap.
  std::span<char> region_;
  char* heap_top_ = nullptr;
};

}  // namespace spillway
