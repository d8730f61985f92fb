// ReduceInputOptions of the tasks that merge segments: what reduce and combine tasks have in
// common. Made for one attempt, whose resources outlive them; pure.
#pragma once

#include <cstdint>
#include <optional>

#include "runtime/task/job_context.h"
#include "shuffle/engine/reduce_input.h"

namespace spillway {

struct MergingAttempt {
  std::uint32_t partition = 0;
  std::uint32_t attempt = 0;
  std::uint32_t scratch_number = 0;  ///< Another one for each task of the job that merges.
};

/// `resources`: of the task; its control is told of each step, and ends the merge when it is
/// cancelled. `damaged`: as in ReduceInputOptions.
template <class Resources>
ReduceInputOptions InputOptionsOf(const MergingAttempt& merging, const Resources& resources,
                                  SegmentStore& scratch, std::optional<SegmentId>* damaged) {
  ReduceInputOptions options;
  options.partition = merging.partition;
  options.order = resources.job.order();
  options.unpack_values = resources.job.packs_values();
  options.memory_bytes = resources.memory_bytes;
  options.budget = &resources.budget;
  options.scratch = &scratch;
  options.scratch_id = {resources.job.job,
                        kMergeTaskBase + merging.scratch_number * kReduceMergesMax,
                        merging.attempt};
  options.writer = resources.writer;
  options.damaged = damaged;
  options.step = [&control = resources.control] {
    control.AddProgress();
    return control.cancelled() ? Cancelled("the attempt was stopped") : OkStatus();
  };
  return options;
}

}  // namespace spillway
