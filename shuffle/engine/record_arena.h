// RecordArena: a share of memory that fills with encoded records from its low end and with their
// 16-byte entries from its high end, so that small and large records alike use all of it. Owned by
// a collector; one thread.
#pragma once

#include <cstdint>
#include <span>

#include "mapreduce/base/status.h"
#include "shuffle/record/record.h"
#include "shuffle/sort/arena_entry.h"
#include "shuffle/store/memory_budget.h"

namespace spillway {

class RecordArena {
 public:
  struct Options {
    std::uint64_t bytes = 0;
    /// Left unused for each record: what sorting takes elsewhere.
    std::uint64_t spare_bytes_per_record = 0;
  };

  /// An arena without memory: nothing fits.
  RecordArena() = default;

  /// Takes options.bytes from the budget, or less when it has less. The pages behind it are touched
  /// only as they fill.
  static Result<RecordArena> Allocate(MemoryBudget& budget, const Options& options);

  /// Copies the record and makes its entry, at depth 0. False: there is no room.
  [[nodiscard]] bool Append(const Record& record, std::uint32_t partition) {
    const std::uint64_t bytes = EncodedBytes(record.key_bytes, record.value_bytes);
    if (bytes + bytes_per_entry_ > room_bytes_) [[unlikely]]
      return false;
    room_bytes_ -= bytes + bytes_per_entry_;
    const auto offset = static_cast<std::uint64_t>(records_end_ - buffer_.data());
    *--entries_begin_ = ArenaEntry::Make(offset, partition, KeyOf(record));
    records_end_ = EncodeRecord(record, records_end_);
    return true;
  }

  /// The entries' offsets count from here. SPILLWAY_PADDING_BYTES behind each record are readable.
  const char* data() const { return buffer_.data(); }

  /// Of all records, in no particular order; to be sorted in place.
  std::span<ArenaEntry> entries() const { return {entries_begin_, entries_end_}; }

  bool allocated() const { return !buffer_.empty(); }
  bool empty() const { return entries_begin_ == entries_end_; }

  /// Forgets the records and keeps the memory.
  void Clear();

 private:
  Buffer buffer_;
  char* records_end_ = nullptr;
  ArenaEntry* entries_begin_ = nullptr;
  ArenaEntry* entries_end_ = nullptr;
  std::uint64_t room_bytes_ = 0;
  std::uint64_t bytes_per_entry_ = sizeof(ArenaEntry);
};

}  // namespace spillway
