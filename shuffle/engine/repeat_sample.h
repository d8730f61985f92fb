// RepeatSample: looks at the first keys of a task and guesses how many of a whole run's records
// will repeat a key. It keeps a set of hashes, not of keys: a few false repeats do not matter. One
// thread.
#pragma once

#include <cstdint>
#include <span>

#include "shuffle/record/record.h"
#include "shuffle/store/memory_budget.h"

namespace spillway {

class RepeatSample {
 public:
  /// What a sample of so many records takes from the budget.
  static std::uint64_t BytesFor(std::uint64_t records);

  /// Enough to see keys repeat that occur a few times in a run of millions.
  static constexpr std::uint64_t kRecordsMax = 64 << 10;

  /// Takes 8 bytes for each of the `records` from the budget, whether it has them or not.
  RepeatSample(MemoryBudget& budget, std::uint64_t records);

  /// Adds the records' keys, up to the sample's size.
  void Add(std::span<const Record> records);

  bool full() const { return records_ == records_max_; }
  /// Of the keys and values seen.
  double bytes_per_record() const {
    return static_cast<double>(bytes_) / static_cast<double>(records_);
  }

  /// True when in a run of `run_records`, at least half of the records are expected to repeat the
  /// key of another.
  bool HalfWillRepeat(double run_records) const;

 private:
  std::uint64_t records_max_;
  std::uint64_t slot_count_;
  Buffer hashes_;  ///< Open addressing, 32 bits each; 0 is an empty slot.
  std::uint64_t records_ = 0;
  std::uint64_t repeats_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace spillway
