// HashPartition: the default partition of a key, XXH3-64 of the bytes that name its group. The
// same on every machine and in every release: segments of one job may come from many hosts.
#pragma once

#include "shuffle/engine/collector.h"

namespace spillway {

class HashPartition : public PartitionFunction {
 public:
  HashPartition(std::uint32_t partitions, const KeyOrder& order)
      : partitions_(partitions), order_(order) {}

  Status Partition(std::span<const Record> records, std::uint32_t* out) override;

 private:
  const std::uint32_t partitions_;
  const KeyOrder order_;
};

}  // namespace spillway
