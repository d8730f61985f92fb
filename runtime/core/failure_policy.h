// FailurePolicy: what follows from one failed attempt. Pure.
//
//   code                                          what follows
//   InvalidArgument, NotFound, AlreadyExists,
//   PermissionDenied, BadData                     the job fails at once: another try reads the
//                                                 same; a bad record is passed over within the
//                                                 quota
//   ResourceExhausted                             the worker has set the disk aside: tried once
//                                                 more, and on other workers; then the job fails
//   UserCode, same record twice                   skip_bad_max > 0: the record is passed over from
//                                                 now on; else, when the message is the same too,
//                                                 the job fails: the third try would say the same
//   Cancelled                                     tried again, not counted
//   anything else                                 tried again, up to attempts_max failures
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "mapreduce/base/status.h"
#include "runtime/core/attempt_id.h"
#include "runtime/core/events.h"

namespace spillway {

/// What a task went through. Few tasks have one.
struct TaskTrouble {
  std::uint32_t failures = 0;  ///< Since the last skipped record.
  std::uint32_t segment_losses = 0;
  std::optional<RecordPlace> last_record;
  std::string last_message;
  std::vector<RecordPlace> skips;        ///< Ascending.
  std::vector<std::uint32_t> failed_on;  ///< Worker indexes, without repeats.
  TimeMs avoid_until_ms = 0;             ///< Keeps away from failed_on.
};

enum class Verdict : std::uint8_t { kRetry, kRetryUncounted, kSkipRecord, kFailJob };

struct FailureCase {
  const AttemptFailed& failure;
  const TaskTrouble& trouble;  ///< Before this failure.
  const JobOptions& options;
  std::uint32_t records_skipped = 0;  ///< In the job so far.
  bool others_left = false;           ///< A worker on which the task has not failed.
};

struct Judgement {
  Verdict verdict = Verdict::kRetry;
  std::string next_step;  ///< What the user may do, when the job fails.
};

Judgement JudgeFailure(const FailureCase& failure_case);

/// Whether the failure speaks against the worker rather than against the job.
bool BlamesWorker(Code code);

}  // namespace spillway
