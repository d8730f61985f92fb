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
    bool pack_values = false;  ///< Each value becomes a pack of one.
  };

  /// An arena without memory: nothing fits.
  RecordArena() = default;

  /// Takes options.bytes from the budget, or less when it has less. The pages behind it are touched
  /// only as they fill.
  static Result<RecordArena> Allocate(MemoryBudget& budget, const Options& options);

  /// Copies the record and makes its entry, at depth 0. False: there is no room.
  [[nodiscard]] bool Append(const Record& record, std::uint32_t partition) {
    const std::uint32_t value_bytes =
        record.value_bytes + (pack_values_ ? VarintBytes(record.value_bytes) : 0);
    const std::uint64_t bytes = EncodedBytes(record.key_bytes, value_bytes);
    if (bytes + bytes_per_entry_ > room_bytes_) [[unlikely]]
      return false;
    room_bytes_ -= bytes + bytes_per_entry_;
    const auto offset = static_cast<std::uint64_t>(records_end_ - buffer_.data());
    *--entries_begin_ = ArenaEntry::Make(offset, partition, KeyOf(record));
    char* to = PutVarint32(PutVarint32(records_end_, record.key_bytes), value_bytes);
    std::memcpy(to, record.key, record.key_bytes);
    to += record.key_bytes;
    if (pack_values_) to = PutVarint32(to, record.value_bytes);
    std::memcpy(to, record.value, record.value_bytes);
    records_end_ = to + record.value_bytes;
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
  bool pack_values_ = false;
};

}  // namespace spillway
