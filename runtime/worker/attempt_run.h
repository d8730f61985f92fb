// AttemptRun: one attempt from its first record to the message that tells its end. Runs on the
// calling thread; thread-safe as far as its arguments are.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "runtime/core/attempt_id.h"
#include "runtime/protocol/spillway.pb.h"
#include "runtime/storage/attempt_output.h"
#include "runtime/task/combine_task.h"
#include "runtime/task/map_task.h"
#include "runtime/task/reduce_task.h"
#include "runtime/transfer/segment_source.h"
#include "runtime/worker/job_runtime.h"

namespace spillway {

/// How an attempt ended.
struct AttemptEnd {
  wire::Message answer;  ///< MapDone, CommitRequest, AttemptFailed, -Stopped, SegmentLost.
  /// With a CommitRequest: durable, removed unless granted.
  std::vector<std::unique_ptr<AttemptOutput>> parts;
  std::unique_ptr<AttemptOutput> beside;  ///< With a MapDone: durable, what it tells of.
};

/// The task as the message describes it. InvalidArgument: nonsense.
Result<MapTaskSpec> MapTaskSpecOf(const wire::StartMap& start);

AttemptEnd RunMapAttempt(JobRuntime& job, const MapTaskSpec& spec, AttemptControl& control);

/// What a reduce attempt works on.
struct ReduceInputs {
  std::vector<std::shared_ptr<const SegmentReader>> segments;  ///< In their order.
  FetchTotals fetched;                                         ///< What it took to get them.
  std::uint32_t partitions = 1;  ///< From the task's on, one behind the other.
};

AttemptEnd RunReduceAttempt(JobRuntime& job, const AttemptId& id, const ReduceInputs& inputs,
                            AttemptControl& control);

AttemptEnd RunCombineAttempt(JobRuntime& job, const CombineTaskSpec& spec,
                             const FetchTotals& fetched, AttemptControl& control);

/// The messages by which an attempt ends otherwise.
AttemptEnd FailedAttempt(const AttemptId& id, const Status& status,
                         const std::optional<FailedRecord>& record = {});
AttemptEnd StoppedAttempt(const AttemptId& id);
/// What is said instead of the end of an attempt, or of a loop's part, that cannot be sent at all.
/// None: the message is of no attempt.
std::optional<wire::Message> FailureInsteadOf(const wire::Message& message, const Status& why);

}  // namespace spillway
