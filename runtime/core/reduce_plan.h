// ReducePlan: how a job's reduce work is cut once its map outputs are known. Partitions that are so
// small that their tasks would cost more than their records are joined: one attempt reduces several
// of them, one behind the other. A partition so large that the others would wait for it is split,
// where the job folds or combines: combine tasks merge and combine what a range of map tasks has
// for it, and its reduce task reads their outputs in place of the maps'. Neither changes what is
// written, nor where. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "runtime/core/attempt_id.h"

namespace spillway {

struct ReducePlanOptions {
  /// A smaller partition is not worth being read once more.
  std::uint64_t split_bytes_min = 64 << 20;
  std::uint32_t split_pieces_max = 16;
  /// With fewer, what is read twice is hardly made up for by others that help.
  std::uint32_t split_slots_min = 4;
  /// Of fewer map outputs, little is combined that their map tasks have not.
  std::uint32_t maps_per_piece_min = 4;
  /// Of partitions that are joined, together.
  std::uint64_t join_bytes_max = 4 << 20;
  std::uint32_t join_partitions_max = 64;
  /// Tasks that are left for each slot: those that end late are made up for by others.
  std::uint32_t join_tasks_per_slot_min = 4;

  /// Every choice is met by jobs of a few tasks.
  static ReducePlanOptions Tiny() {
    return {.split_bytes_min = 2,
            .split_pieces_max = 3,
            .split_slots_min = 2,
            .maps_per_piece_min = 1,
            .join_bytes_max = 8,
            .join_partitions_max = 3,
            .join_tasks_per_slot_min = 1};
  }
};

/// What is known when it is made.
struct ReduceLoads {
  std::span<const std::uint64_t> bytes;  ///< Of the map outputs, by partition.
  std::uint64_t all_bytes = 0;           ///< Their sum.
  std::uint32_t maps = 0;
  std::uint32_t slots = 0;   ///< Of all workers, also those that may not run the job's tasks now.
  bool associative = false;  ///< Parts of a partition may be combined before it is reduced.
};

struct SplitPartition {
  std::uint32_t partition = 0;
  std::uint32_t pieces = 0;  ///< 2 at least; as many combine tasks.
  bool operator==(const SplitPartition&) const = default;
};

struct JoinedPartitions {
  std::uint32_t first = 0;  ///< Whose reduce task stands for all of them.
  std::uint32_t count = 0;  ///< 2 at least.
  bool operator==(const JoinedPartitions&) const = default;
};

/// Both ascending by partition; no partition is named twice.
struct ReducePlan {
  std::vector<SplitPartition> splits;
  std::vector<JoinedPartitions> joins;

  bool empty() const { return splits.empty() && joins.empty(); }
  bool operator==(const ReducePlan&) const = default;
};

/// Whether the partition would be split if these were all map outputs.
bool IsHot(const ReduceLoads& loads, std::uint32_t partition, const ReducePlanOptions& options);

/// `untouched`: by partition, that its reduce task was never started. Others are left as they are.
ReducePlan PlanReduces(const ReduceLoads& loads, const ReducePlanOptions& options,
                       const std::vector<bool>& untouched);

/// The map tasks whose outputs are combined into one piece of a split partition.
/// Pieces of equal size, but for one map output.
SegmentRange MapsOfPiece(std::uint32_t maps, std::uint32_t pieces, std::uint32_t piece);

}  // namespace spillway
