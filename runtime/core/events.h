// Events: everything the scheduler is ever told. An event that is late, doubled or from a dead
// worker or attempt changes nothing, so the shell passes on what it hears without judging it. What
// of it a journal needs is in journalled.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "mapreduce/base/status.h"
#include "runtime/core/attempt_id.h"
#include "runtime/core/reduce_plan.h"

namespace spillway {

struct MapSpec {
  std::uint64_t bytes = 0;
  /// Where the input lies, best first: names of hosts or racks as WorkerJoined gives them. A wish.
  std::vector<std::string> places;
};

struct JobOptions {
  std::uint32_t attempts_max = 4;           ///< Failures of one task before the job fails.
  double slow_start_fraction = 0.05;        ///< Of the maps, done before any reduce starts.
  std::uint64_t task_timeout_ms = 600'000;  ///< Without progress. 0: never.
  std::uint32_t skip_bad_max = 0;        ///< Records that may be passed over, over the whole job.
  std::uint32_t segment_losses_max = 8;  ///< Of one map task, reported by reduces.
  std::uint32_t weight = 1;              ///< Slots are shared among jobs in this proportion.
  bool speculate = false;                ///< Backup attempts of slow tasks; needs two workers.
  /// Of a map task that writes other bytes when it runs again: a warning, or the job's end.
  bool allow_nondeterminism = true;
  /// Its maps need each other: all start at once, whether slots are free or not, up to
  /// SchedulerOptions::gang_tasks_per_slot_max on a worker.
  bool gang = false;
  /// What several map tasks have for one key may be combined before it is reduced: a fold, or a
  /// combiner.
  bool associative = false;
  /// ReducePlanOptions::split_bytes_min of this job. 0: the scheduler's.
  std::uint64_t split_partition_bytes = 0;
  /// Maps read ranges of compressed files: work for workers that run plans, as older ones would
  /// read all of the file for each.
  bool splits_archives = false;
  /// Quick enough for a worker with small_jobs_only, which it then prefers.
  bool small = false;
};

/// reduces == 0 is a map-only job: its maps commit their output as reduces do otherwise.
struct SubmitJob {
  JobId job = 0;
  std::vector<MapSpec> maps;
  std::uint32_t reduces = 0;
  JobOptions options;
};

/// Takes effect unless CommitJob went out already; the job then ends by JobCommitted.
struct CancelJob {
  JobId job = 0;
  std::string reason;  ///< "interrupted by the user"
};

/// The answer to CommitJob. A failure ends the job with it.
struct JobCommitted {
  JobId job = 0;
  Status status;
};

/// A worker process with `slots` places for attempts. A process that starts again joins with a
/// greater epoch: whatever its predecessor had is lost.
struct WorkerJoined {
  WorkerId worker = 0;
  std::uint64_t epoch = 0;
  std::uint32_t slots = 1;
  std::string host;
  std::string rack;
  /// It is given tasks of small jobs only: the worker inside the coordinator's process.
  bool small_jobs_only = false;
  /// It runs combine tasks, and reduces of several partitions and of combined ones. While one is
  /// there that does not, nothing is planned.
  bool runs_plans = true;
};

/// A known worker process talks again: after it lost its session, or to a coordinator that took
/// over. Its lease is renewed, and both sides are brought in line:
///   - an attempt that the scheduler believes to be there and `attempts` does not name is taken as
///     AttemptStopped;
///   - one that is there and has to stop is sent StopAttempt again, and so is one that is there
///     and not known, or known to be another worker's (StopReason::kUnknown);
///   - a grant that was given is given again;
///   - a reduce is told all its segments again, from the first on.
/// Orders from before count only as far as `attempts` shows: from the moment it is drawn up until
/// this event's actions arrive, the worker carries out none. Sent for a process that is not known
/// (HasWorker), it changes nothing.
struct WorkerResumed {
  WorkerId worker = 0;
  std::uint64_t epoch = 0;
  std::vector<AttemptId> attempts;  ///< That it runs, or whose end it has still to report.
};

struct Heartbeat {
  WorkerId worker = 0;
  std::uint64_t epoch = 0;
};

/// The process is gone, with its attempts and segments.
struct WorkerLost {
  WorkerId worker = 0;
  std::uint64_t epoch = 0;
};

/// Gives it nothing more to do. WorkerDrained follows when nothing needs it, which takes as long as
/// the jobs whose segments it keeps; a shell that cannot wait says WorkerLost.
struct DrainWorker {
  WorkerId worker = 0;
  std::uint64_t epoch = 0;
};

/// The attempt moved. `fraction` of its work done, in [0, 1], as far as it knows.
struct AttemptProgress {
  AttemptId attempt;
  double fraction = 0;
};

/// A map attempt of a job with reduces, or a combine attempt, has committed its segment and ended.
struct AttemptDone {
  AttemptId attempt;
  std::uint64_t segment_bytes = 0;
  /// By partition, of its records and their order; two attempts of a deterministic task agree.
  /// Empty: it cannot be told.
  std::vector<std::uint64_t> partition_hashes;
  /// The same of the records alone.
  std::vector<std::uint64_t> record_hashes;
  /// How much each partition has of the segment, a SizeByteOf (large_first.h) each. May be empty.
  std::string partition_sizes = {};
};

/// The input record that user code failed on.
struct FailedRecord {
  RecordPlace place;
  std::string path;
};

/// The attempt failed, has ended and left nothing behind. The code decides what follows, see
/// failure_policy.h.
struct AttemptFailed {
  AttemptId attempt;
  Status status;
  std::optional<FailedRecord> record;
};

/// The attempt ended because it was told to, or because its worker chose to; never a failure.
struct AttemptStopped {
  AttemptId attempt;
};

/// A reduce or combine attempt cannot read a segment. The map or combine task that wrote it runs
/// again; the attempt goes on and is given the new segment, or has ended (`ended`) and runs again,
/// which is no failure.
struct SegmentLost {
  AttemptId reduce;
  std::uint32_t map_task = 0;
  std::uint32_t map_attempt = 0;
  bool ended = false;
};

/// The output of a reduce attempt (or of a map in a map-only job) is complete, and aside.
struct CommitRequested {
  AttemptId attempt;
};

/// The granted attempt's output is durable under its attempt's name, and the attempt has ended.
struct Committed {
  AttemptId attempt;
  std::uint32_t epoch = 0;  ///< Of the grant.
};

/// Another coordinator goes on from a journal. The first event after a replay, and journalled as
/// such. CommitJob is said again for jobs that were being committed and JobEnded for those that had
/// ended; workers are given nothing until they say WorkerResumed (or WorkerJoined with a greater
/// epoch), for which they have a lease's time. New attempts are numbered from the next thousand on,
/// in case the journal's last turns were lost with attempts that somebody still runs.
struct TakenOver {};

// What a scheduler decided that does not follow from the other journalled events, because time,
// heartbeats and progress are not journalled. Only Replay is ever given these.

/// It cut the job's reduce work, or goes on without what waits of that (an empty plan).
struct ReducesPlanned {
  JobId job = 0;
  ReducePlan plan;
};

/// It started the attempt.
struct AttemptStarted {
  AttemptId attempt;
  WorkerId worker = 0;
  bool backup = false;
};

/// It told the attempt to stop: for StopReason::kTimeout, which is a failure, or kPreempted.
struct AttemptStopping {
  AttemptId attempt;
  bool timed_out = false;
};

/// It no longer waited for the attempt to stop.
struct AttemptAbandoned {
  AttemptId attempt;
};

/// Time passed: leases, time-outs, held-back announcements and backups are looked at.
struct Tick {};

using Event = std::variant<SubmitJob, CancelJob, JobCommitted, WorkerJoined, Heartbeat, WorkerLost,
                           DrainWorker, AttemptProgress, AttemptDone, AttemptFailed, AttemptStopped,
                           SegmentLost, CommitRequested, Committed, Tick, WorkerResumed, TakenOver,
                           ReducesPlanned, AttemptStarted, AttemptStopping, AttemptAbandoned>;

}  // namespace spillway
