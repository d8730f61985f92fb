#include "runtime/core/reduce_plan.h"

#include <algorithm>

#include "mapreduce/base/check.h"

namespace spillway {

namespace {

/// A partition with more than so many times what the others have is hot.
constexpr std::uint64_t kHotFactor = 2;
/// Partitions that have less than this together are joined, however little the job has in all.
constexpr std::uint64_t kJoinBytesMin = 64 << 10;

std::vector<SplitPartition> SplitsOf(const ReduceLoads& loads, const ReducePlanOptions& options,
                                     const std::vector<bool>& untouched) {
  std::vector<SplitPartition> splits;
  std::uint64_t hot_bytes = 0;
  for (std::uint32_t partition = 0; partition < loads.bytes.size(); ++partition) {
    if (!untouched[partition] || !IsHot(loads, partition, options)) continue;
    splits.push_back({partition, 0});
    hot_bytes += loads.bytes[partition];
  }
  // So many pieces that all slots have one.
  const std::uint32_t pieces_max =
      std::min(options.split_pieces_max, loads.maps / options.maps_per_piece_min);
  for (SplitPartition& split : splits) {
    const std::uint64_t share = loads.bytes[split.partition] * loads.slots / hot_bytes;
    split.pieces = static_cast<std::uint32_t>(std::clamp<std::uint64_t>(share, 2, pieces_max));
  }
  return splits;
}

std::vector<JoinedPartitions> JoinsOf(const ReduceLoads& loads, const ReducePlanOptions& options,
                                      const std::vector<bool>& joinable) {
  const std::uint64_t tasks_min = std::uint64_t{loads.slots} * options.join_tasks_per_slot_min;
  const auto count_max =
      std::min<std::uint64_t>(options.join_partitions_max, loads.bytes.size() / tasks_min);
  const std::uint64_t bytes_max =
      std::min(options.join_bytes_max, std::max(kJoinBytesMin, loads.all_bytes / tasks_min));
  std::vector<JoinedPartitions> joins;
  for (std::uint32_t first = 0; first < loads.bytes.size();) {
    std::uint64_t bytes = 0;
    std::uint32_t end = first;
    while (end < loads.bytes.size() && end - first < count_max && joinable[end] &&
           loads.bytes[end] <= bytes_max - bytes)
      bytes += loads.bytes[end++];
    if (end - first >= 2) joins.push_back({first, end - first});
    first = std::max(end, first + 1);
  }
  return joins;
}

}  // namespace

bool IsHot(const ReduceLoads& loads, std::uint32_t partition, const ReducePlanOptions& options) {
  if (!loads.associative || loads.slots < options.split_slots_min) return false;
  if (loads.maps < 2 * std::uint64_t{options.maps_per_piece_min}) return false;
  const std::uint64_t bytes = loads.bytes[partition];
  // What one slot has to do while the others share the rest.
  if (bytes < options.split_bytes_min || bytes <= loads.all_bytes / loads.slots) return false;
  const std::uint64_t others = loads.bytes.size() - 1;
  return others == 0 || bytes * others > kHotFactor * (loads.all_bytes - bytes);
}

ReducePlan PlanReduces(const ReduceLoads& loads, const ReducePlanOptions& options,
                       const std::vector<bool>& untouched) {
  SPILLWAY_CHECK_EQ(untouched.size(), loads.bytes.size());
  ReducePlan plan;
  if (loads.slots == 0) return plan;
  plan.splits = SplitsOf(loads, options, untouched);
  std::vector<bool> joinable = untouched;
  for (const SplitPartition& split : plan.splits) joinable[split.partition] = false;
  plan.joins = JoinsOf(loads, options, joinable);
  return plan;
}

SegmentRange MapsOfPiece(std::uint32_t maps, std::uint32_t pieces, std::uint32_t piece) {
  const auto border = [&](std::uint64_t n) {
    return static_cast<std::uint32_t>(n * maps / pieces);
  };
  return {border(piece), border(piece + 1) - border(piece)};
}

}  // namespace spillway
