// ReduceInput: the reduce side of the shuffle. It merges one partition of many segments, stably by
// (key, segment order, run, arrival), within a share of memory, in several passes when there are
// more runs than the share has buffers for. One task, one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "mapreduce/base/status.h"
#include "shuffle/engine/group_stream.h"
#include "shuffle/format/segment_reader.h"
#include "shuffle/record/key_order.h"
#include "shuffle/store/memory_budget.h"
#include "shuffle/store/segment_store.h"

namespace spillway {

struct ReduceInputOptions {
  std::uint32_t partition = 0;
  KeyOrder order;
  std::uint64_t memory_bytes = 32 << 20;   ///< The merge's share.
  std::uint32_t fan_in_max = 1024;         ///< Whatever the memory allows, never more runs at once.
  MemoryBudget* budget = nullptr;
  SegmentStore* scratch = nullptr;         ///< For intermediate merges.
  SegmentId scratch_id;                    ///< job, and kMergeTaskBase + partition-unique number.
  SegmentWriterOptions writer;             ///< For intermediate merges.
  bool release_behind = false;             ///< Segments are read for the last time.
  /// Set beside a DataLoss or NotFound: the segment that must be computed again.
  std::optional<SegmentId>* damaged = nullptr;
};

struct ReduceInputStats {
  std::uint64_t runs = 0;
  std::uint64_t records = 0;
  std::uint64_t raw_bytes = 0;
  std::uint64_t stored_bytes = 0;          ///< Read from segments: the shuffled bytes.
  std::uint64_t passes = 1;                ///< 1: straight from the segments.
};

class ReduceInput : public GroupStream {
 public:
  /// `segments` in map task order; null entries are not allowed. Does the intermediate passes.
  static Result<std::unique_ptr<ReduceInput>> Open(
      std::vector<std::shared_ptr<const SegmentReader>> segments,
      const ReduceInputOptions& options);

  virtual const ReduceInputStats& stats() const = 0;
};

}  // namespace spillway
