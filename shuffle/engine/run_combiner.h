// RunCombiner: passes one partition of a sorted run through the user's combiner and writes what it
// emits, after checking that the run stays sorted. One thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "mapreduce/base/status.h"
#include "shuffle/engine/collector.h"
#include "shuffle/sort/arena_entry.h"

namespace spillway {

class RunCombiner {
 public:
  /// options.combine is set. What the options point to and the writer outlive the combiner.
  RunCombiner(const CollectorOptions& options, SegmentWriter& writer)
      : options_(options), writer_(writer) {}

  /// Writes the combined records of `partition` to the writer's open run. UserCode when the
  /// combiner emits a key that belongs before its last one or into another partition.
  Status Combine(const char* arena, std::span<const ArenaEntry> sorted, std::uint32_t partition);

  /// Written so far.
  std::uint64_t records_out() const { return records_out_; }

 private:
  Status Write(std::span<const Record> emitted, std::uint32_t partition);
  Status CheckPartitions(std::span<const Record> emitted, std::uint32_t partition);

  const CollectorOptions options_;
  SegmentWriter& writer_;
  std::uint64_t records_out_ = 0;
  std::uint64_t partition_records_ = 0;  ///< Written to the current partition.
  std::string last_key_;                 ///< The last of them.
  std::vector<std::uint32_t> partition_ids_;
};

}  // namespace spillway
