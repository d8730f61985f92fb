// A reduce task: merges its partition of all map segments, runs the reducer over the groups, and
// writes one part. Runs a whole attempt on the calling thread.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "runtime/task/group_meter.h"
#include "runtime/task/job_context.h"
#include "runtime/task/part_sink.h"
#include "shuffle/engine/reduce_input.h"
#include "shuffle/format/segment_reader.h"

namespace spillway {

struct ReduceTaskSpec {
  std::uint32_t partition = 0;
  std::uint32_t attempt = 0;
  std::vector<std::shared_ptr<const SegmentReader>> segments;  ///< In map task order.
};

/// What a reduce task works with. Everything outlives the task.
struct ReduceTaskResources {
  const JobContext& job;
  PartSink& part;
  SegmentStore& scratch;  ///< For intermediate merges.
  MemoryBudget& budget;
  std::uint64_t memory_bytes = 32 << 20;  ///< The merge's share.
  SegmentWriterOptions writer;
  AttemptControl& control;
};

struct ReduceTaskResult {
  Status status;
  std::optional<SegmentId> damaged;  ///< The map output that must be computed again.
  ReduceInputStats input;
  GroupSizes given;  ///< To the reducer.
  std::uint64_t groups = 0;
  std::uint64_t output_records = 0;
  CounterValues counters;
};

ReduceTaskResult RunReduceTask(const ReduceTaskSpec& spec, const ReduceTaskResources& resources);

}  // namespace spillway
