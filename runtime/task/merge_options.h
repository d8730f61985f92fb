// How the tasks that read segments merge them: what reduce and combine tasks have in common.
#pragma once

#include <cstdint>
#include <optional>

#include "runtime/task/job_context.h"
#include "shuffle/engine/reduce_input.h"

namespace spillway {

/// `resources`: of the task; its control is told of each step, and ends the merge when it is
/// cancelled. `scratch_number`: differs for each task of the job that merges.
template <class Resources>
ReduceInputOptions MergeOptions(const Resources& resources, SegmentStore& scratch,
                                std::uint32_t partition, std::uint32_t attempt,
                                std::uint32_t scratch_number, std::optional<SegmentId>* damaged) {
  ReduceInputOptions options;
  options.partition = partition;
  options.order = resources.job.order();
  options.unpack_values = resources.job.packs_values();
  options.memory_bytes = resources.memory_bytes;
  options.budget = &resources.budget;
  options.scratch = &scratch;
  options.scratch_id = {resources.job.job, kMergeTaskBase + scratch_number * kReduceMergesMax,
                        attempt};
  options.writer = resources.writer;
  options.damaged = damaged;
  options.step = [&control = resources.control] {
    control.AddProgress();
    return control.cancelled() ? Cancelled("the attempt was stopped") : OkStatus();
  };
  return options;
}

}  // namespace spillway
