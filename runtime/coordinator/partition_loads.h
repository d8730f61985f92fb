// PartitionLoads: what the reduce tasks of a job had to do, as their commits told it, and in the
// largest partition the key that had the most of it; what others will have to do, as far as it is
// known. The same whatever the order of the commits. Pure; owned by a job's entry.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "runtime/protocol/spillway.pb.h"

namespace spillway {

class PartitionLoads {
 public:
  /// What is told of a job must fit into a frame.
  static constexpr std::uint32_t kPartitionsToldMax = 10'000;

  PartitionLoads() = default;
  explicit PartitionLoads(std::uint32_t partitions) : loads_(partitions) {}

  /// Of a commit that was granted. Of what it says, so much counts as can be true.
  void Take(std::uint32_t partition, const wire::PartitionLoad& load);

  /// `map_bytes`: of each partition in the map outputs, told of those that were not taken; may be
  /// empty. Nothing when neither is known, or when there are too many.
  void Put(std::span<const std::uint64_t> map_bytes, wire::JobState& state) const;

 private:
  struct Load {
    std::uint64_t shuffled_bytes = 0;
    std::uint64_t records = 0;
    std::uint64_t run_us = 0;  ///< 0: not taken.
  };
  std::vector<Load> loads_;
  std::uint32_t taken_ = 0;
  std::uint32_t hottest_ = 0;  ///< With the most shuffled bytes; the first of several.
  wire::HeavyKey hottest_group_;
};

}  // namespace spillway
