// ReduceInput: the reduce side of the shuffle. It merges one partition of many segments, stably by
// (key, segment order, run, arrival), within a share of memory, in several passes when there are
// more runs than the share has buffers for. One task, one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "mapreduce/base/status.h"
#include "shuffle/format/segment_reader.h"
#include "shuffle/record/group_stream.h"
#include "shuffle/record/key_order.h"
#include "shuffle/store/memory_budget.h"
#include "shuffle/store/segment_store.h"

namespace spillway {

/// The most intermediate merges of one ReduceInput, and so the distance that the scratch_ids of two
/// partitions keep.
inline constexpr std::uint32_t kReduceMergesMax = 1024;

struct ReduceInputOptions {
  std::uint32_t partition = 0;
  KeyOrder order;
  /// The segments' values are packed (shuffle/record/packed_values.h); what comes out is not.
  bool unpack_values = false;
  std::uint64_t memory_bytes = 32 << 20;  ///< The merge's share.
  std::uint32_t fan_in_max = 1024;        ///< Whatever the memory allows, never more runs at once.
  MemoryBudget* budget = nullptr;         ///< Required; outlives the input.
  SegmentStore* scratch = nullptr;        ///< For intermediate merges; outlives the input.
  /// The first intermediate merge's segment; the n-th one's map_task is n more. Partitions that
  /// share a store take kMergeTaskBase + partition * kReduceMergesMax.
  SegmentId scratch_id;
  SegmentWriterOptions writer;  ///< For intermediate merges.
  bool release_behind = false;  ///< Segments are read for the last time.
  /// Called between the batches of intermediate merges, which may take long: says that the task is
  /// alive, and ends it by an error. May be empty.
  std::function<Status()> step;
  /// Set beside a DataLoss or NotFound: the segment that must be computed again. A damaged
  /// intermediate merge is Aborted instead: it is ours, and running the task again heals it.
  std::optional<SegmentId>* damaged = nullptr;
};

struct ReduceInputStats {
  std::uint64_t runs = 0;
  std::uint64_t records = 0;  ///< Encoded ones: a pack is one.
  std::uint64_t raw_bytes = 0;
  std::uint64_t stored_bytes = 0;  ///< Read from segments: the shuffled bytes.
  std::uint64_t passes = 1;        ///< 1: straight from the segments.
};

class ReduceInput : public GroupStream {
 public:
  /// `segments` in map task order; null entries are not allowed. Does the intermediate passes.
  /// Two runs are merged whatever memory they need: with fewer nothing would move.
  /// ResourceExhausted when the share is so small that the merges do not end within
  /// kReduceMergesMax.
  static Result<std::unique_ptr<ReduceInput>> Open(
      std::vector<std::shared_ptr<const SegmentReader>> segments,
      const ReduceInputOptions& options);

  virtual const ReduceInputStats& stats() const = 0;
};

}  // namespace spillway
