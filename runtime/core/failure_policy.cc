#include "runtime/core/failure_policy.h"

namespace spillway {
namespace {

constexpr const char* kFixRecordOrMapper =
    "fix the record or the mapper, or allow bad records to be skipped (--skip-bad N)";

/// Passes over the record within the job's quota.
Judgement SkipRecord(const FailureCase& c) {
  if (c.records_skipped < c.options.skip_bad_max) return {Verdict::kSkipRecord, {}};
  return {Verdict::kFailJob,
          "all of the " + std::to_string(c.options.skip_bad_max) +
              " bad records that may be skipped were skipped already: fix the records or the "
              "mapper, or raise --skip-bad"};
}

/// The attempt before it failed at this record, too.
bool SameRecord(const FailureCase& c) {
  return c.failure.record.has_value() && c.trouble.last_record == c.failure.record->place;
}

Judgement JudgeUserCode(const FailureCase& c) {
  const bool same_record = SameRecord(c);
  if (same_record && c.options.skip_bad_max > 0) return SkipRecord(c);
  if (same_record && c.trouble.last_message == c.failure.status.message())
    return {Verdict::kFailJob, kFixRecordOrMapper};
  if (c.trouble.failures + 1 >= c.options.attempts_max)
    return {Verdict::kFailJob,
            "fix the job's code, or its command; try it by itself on this input"};
  return {Verdict::kRetry, {}};
}

}  // namespace

Judgement JudgeFailure(const FailureCase& c) {
  const bool last_try = c.trouble.failures + 1 >= c.options.attempts_max;
  switch (c.failure.status.code()) {
    case Code::kInvalidArgument:
    case Code::kAlreadyExists:
      return {Verdict::kFailJob, "correct the request and submit it again"};
    case Code::kNotFound:
      return {Verdict::kFailJob, "check that the file is there, on every worker"};
    case Code::kPermissionDenied:
      return {Verdict::kFailJob, "check that the file may be read, or executed, on every worker"};
    case Code::kBadData:
      if (c.failure.record.has_value() && c.options.skip_bad_max > 0) return SkipRecord(c);
      return {Verdict::kFailJob, "correct the input, or choose the format that it has"};
    case Code::kResourceExhausted:
      if (!last_try && (c.others_left || c.trouble.failures == 0)) return {Verdict::kRetry, {}};
      return {Verdict::kFailJob, "free some space or name more spill directories (--spill-dir)"};
    case Code::kUserCode: return JudgeUserCode(c);
    case Code::kCancelled: return {Verdict::kRetryUncounted, {}};
    case Code::kAborted:
      // Whatever ended the process, it did so at the same record again.
      if (c.options.skip_bad_max > 0 && SameRecord(c)) return SkipRecord(c);
      [[fallthrough]];
    default:
      if (!last_try) return {Verdict::kRetry, {}};
      return {Verdict::kFailJob, "see the workers' logs; raise --retries to try more often"};
  }
}

bool BlamesWorker(Code code) {
  switch (code) {
    case Code::kUnavailable:
    case Code::kAborted:
    case Code::kDataLoss:
    case Code::kResourceExhausted:
    case Code::kInternal: return true;
    default: return false;
  }
}

}  // namespace spillway
