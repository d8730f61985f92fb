// A combine task: merges one partition of some map tasks' segments, folds or combines it as the map
// tasks did with theirs, and leaves it as a segment in their place. Runs a whole attempt on the
// calling thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "runtime/task/job_context.h"
#include "shuffle/engine/collector.h"
#include "shuffle/engine/reduce_input.h"
#include "shuffle/format/segment_reader.h"
#include "shuffle/format/segment_writer.h"

namespace spillway {

struct CombineTaskSpec {
  std::uint32_t index = 0;
  std::uint32_t attempt = 0;
  std::uint32_t partition = 0;
  std::uint32_t segment = 0;                                   ///< SegmentId::map_task of its own.
  std::vector<std::shared_ptr<const SegmentReader>> segments;  ///< In map task order.
};

/// What a combine task works with. Everything outlives the task.
struct CombineTaskResources {
  const JobContext& job;
  SegmentStore& segments;  ///< For its own, and for intermediate merges.
  MemoryBudget& budget;
  std::uint64_t memory_bytes = 64 << 20;  ///< The share of merge and collector together.
  SegmentWriterOptions writer;
  AttemptControl& control;
};

struct CombineTaskResult {
  Status status;
  std::optional<SegmentId> damaged;  ///< The map output that must be computed again.
  ReduceInputStats input;
  CollectorStats collected;
  SegmentSummary segment;
  bool segment_on_disk = false;
  CounterValues counters;
};

CombineTaskResult RunCombineTask(const CombineTaskSpec& spec,
                                 const CombineTaskResources& resources);

}  // namespace spillway
