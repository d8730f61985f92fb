// Actions: everything the scheduler ever asks for. Spans are valid until the next Step. Actions for
// one worker must reach it in their order, or the worker be reported lost.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "mapreduce/base/status.h"
#include "runtime/core/attempt_id.h"
#include "runtime/core/reduce_plan.h"

namespace spillway {

/// Run the map attempt. Ends with AttemptDone (with CommitRequested and Committed in a map-only
/// job), AttemptFailed or AttemptStopped.
struct StartMap {
  AttemptId attempt;
  WorkerId worker = 0;
  std::span<const RecordPlace> skips;  ///< Records to pass over, ascending.
  bool backup = false;                 ///< Another attempt of the task runs already.
};

/// Run the reduce attempt. It needs the segments that `sources` counts (SegmentRef::map_task), and
/// is given them by SegmentsAvailable, among others, from this step on until it has all. Ends with
/// Committed, AttemptFailed, AttemptStopped or SegmentLost{ended}.
struct StartReduce {
  AttemptId attempt;
  WorkerId worker = 0;
  SegmentRange sources;
  std::uint32_t partitions = 1;  ///< From the task's on: it writes the parts of all of them.
  bool backup = false;
};

/// Run the combine attempt: merge the partition of these segments, which it is given as a reduce
/// is, and combine it into a segment of the number `segment`. Ends as a map attempt does, or with
/// SegmentLost{ended}.
struct StartCombine {
  AttemptId attempt;
  WorkerId worker = 0;
  std::uint32_t partition = 0;
  SegmentRange sources;
  std::uint32_t segment = 0;
  bool backup = false;
};

/// How the job's reduce work is cut. Nothing is asked by it; said once, before what follows from
/// it, and again with an empty plan when no worker is left that knows of plans.
struct CutReduces {
  JobId job = 0;
  ReducePlan plan;
};

/// These segments may be read by the reduce or combine attempt. No map task is named twice, unless
/// a SegmentInvalidated lies between, or the worker resumed: then all are named again, and what is
/// named for a map task takes the place of what was.
struct SegmentsAvailable {
  AttemptId reduce;
  WorkerId worker = 0;  ///< That runs the reduce.
  std::span<const SegmentRef> segments;
};

/// This segment, announced before, is gone. A reduce that has read all of it goes on; one that has
/// not waits for the next, or ends with SegmentLost{ended}.
struct SegmentInvalidated {
  AttemptId reduce;
  WorkerId worker = 0;  ///< That runs the reduce.
  SegmentRef segment;
};

enum class StopReason : std::uint8_t {
  kJobEnding,  ///< Failed or cancelled.
  kTimeout,    ///< No progress.
  kPreempted,  ///< A waiting reduce whose slot a map needs.
  kOtherWon,   ///< Another attempt of the task was faster.
  kUnknown,    ///< Its worker has it, and the scheduler does not count on it.
};

/// Stop the attempt, remove what it wrote, and answer AttemptStopped. Until then it has its slot.
struct StopAttempt {
  AttemptId attempt;
  WorkerId worker = 0;
  StopReason reason = StopReason::kJobEnding;
};

/// The one attempt that may publish the task's output. Repeated when it asks again, or resumes.
struct GrantCommit {
  AttemptId attempt;
  WorkerId worker = 0;
  std::uint32_t epoch = 0;  ///< Grows with each grant of this task; one attempt per epoch.
};

struct RefuseCommit {
  AttemptId attempt;
  WorkerId worker = 0;
};

/// Remove a map attempt's segment from its worker. No answer. Only said while the job goes on:
/// JobEnded implies it for all that is left.
struct DiscardSegment {
  JobId job = 0;
  SegmentRef segment;
};

struct CommittedOutput {
  std::uint32_t task = 0;
  std::uint32_t attempt = 0;
  std::uint32_t epoch = 0;
};

/// Publish the job's output: exactly the files of these attempts, in task order; anything else in
/// its staging place is litter. Answer JobCommitted. Said again after TakenOver, so it must be
/// repeatable.
struct CommitJob {
  JobId job = 0;
  std::span<const CommittedOutput> outputs;
};

struct JobTally {
  std::uint32_t attempts_started = 0;
  std::uint32_t attempts_failed = 0;
  std::uint32_t attempts_stopped = 0;
  std::uint32_t maps_rerun = 0;  ///< Because their segments were lost.
  std::uint32_t records_skipped = 0;
};

/// The job is over and no attempt of it runs. The shell has every worker forget it, with all its
/// segments, and removes what is in staging when `status` is not ok. Said again after TakenOver.
struct JobEnded {
  JobId job = 0;
  Status status;
  JobTally tally;
};

/// Nothing of this worker process counts any more: its lease ran out, or a newer one joined.
struct WorkerExpired {
  WorkerId worker = 0;
  std::uint64_t epoch = 0;
};

/// The drained worker runs nothing and keeps nothing that is needed: it may go.
struct WorkerDrained {
  WorkerId worker = 0;
  std::uint64_t epoch = 0;
};

enum class WarningKind : std::uint8_t {
  kNonDeterministic,  ///< Two attempts of one map task wrote different bytes.
  kRecordSkipped,
  kSegmentLost,
  kTimeout,
  kWorkerSetAside,    ///< It failed many attempts in a row.
  kAttemptAbandoned,  ///< It did not stop; its slot stays taken.
};

/// For the log and the job's report.
struct Warning {
  WarningKind kind = WarningKind::kSegmentLost;
  AttemptId attempt;
  WorkerId worker = 0;
  std::string text;
};

using Action =
    std::variant<StartMap, StartReduce, StartCombine, CutReduces, SegmentsAvailable,
                 SegmentInvalidated, StopAttempt, GrantCommit, RefuseCommit, DiscardSegment,
                 CommitJob, JobEnded, WorkerExpired, WorkerDrained, Warning>;
using Actions = std::vector<Action>;

}  // namespace spillway
