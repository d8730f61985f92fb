// GroupTable: the hash table of a GroupCollector: keys with all their values, in order of arrival.
// It is a FoldTable whose states are chains of values, which take their memory from the table's
// heap; keys and values share the region as they need it. GroupCollector owns it. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "shuffle/engine/fold_table.h"

namespace spillway {

class GroupTable {
 public:
  /// `region` as FoldTable takes it.
  explicit GroupTable(std::span<char> region);

  /// Adds the records in order until the table is full; returns how many it took. Keys and values
  /// are copied.
  std::size_t Add(std::span<const Record> records);

  /// False for a record so large that it should not push others out of the table. An empty table
  /// takes any record that fits.
  bool Fits(const Record& record) const;

  /// Distinct keys. Some of the last ones may have no values: the table was full before.
  std::uint64_t size() const { return keys_.size(); }
  /// Records added since the table was empty.
  std::uint64_t records() const { return records_; }

  /// For those who write the table out.
  FoldTable& keys() { return keys_; }
  char* region() const { return region_; }

  void Clear();

 private:
  bool Append(std::uint64_t& chain, const Record& record);

  FoldTable keys_;
  char* region_;
  const std::uint64_t record_bytes_max_;
  std::uint64_t records_ = 0;
};

}  // namespace spillway
