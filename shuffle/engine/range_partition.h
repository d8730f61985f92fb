// RangePartition: total order over the partitions. `cuts` are keys in ascending order; partition i
// gets the keys in [cuts[i-1], cuts[i]). Keys compare as bytes. RangeCuts chooses them from a
// sample. Immutable after construction; one per task, as the interface asks.
#pragma once

#include <string>
#include <vector>

#include "shuffle/engine/collector.h"

namespace spillway {

/// At most `partitions` - 1 cut points that part the sampled keys into ranges of about equal
/// count. Equal neighbours are dropped: a key is never split, so some partitions may stay empty.
std::vector<std::string> RangeCuts(std::vector<std::string> sample, std::uint32_t partitions);

class RangePartition : public PartitionFunction {
 public:
  /// `order.group_bytes` cuts keys to their groups, so that no group is parted.
  RangePartition(std::vector<std::string> cuts, const KeyOrder& order);

  Status Partition(std::span<const Record> records, std::uint32_t* out) override;

 private:
  const std::vector<std::string> cuts_;
  const KeyOrder order_;
  std::vector<std::uint64_t> prefixes_;  ///< KeyPrefix of each cut, for the search's first steps.
};

}  // namespace spillway
