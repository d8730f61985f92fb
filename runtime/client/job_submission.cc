#include "runtime/client/job_submission.h"

#include <algorithm>
#include <cstdio>
#include <random>
#include <string>

#include "mapreduce/base/check.h"
#include "runtime/protocol/wire_values.h"

namespace spillway {

namespace {

std::uint64_t Random64() {
  std::random_device random;
  return std::uint64_t{random()} << 32 | random();
}

/// One upload from its first byte to its last.
Result<wire::Submitted> Upload(CoordinatorCalls& calls, const std::string& bytes,
                               const CallOptions& options, std::uint64_t chunk_bytes) {
  const std::uint64_t upload = Random64();
  for (std::uint64_t offset = 0;;) {
    wire::Request request;
    wire::SubmitChunk* chunk = request.mutable_submit();
    chunk->set_upload(upload);
    chunk->set_offset(offset);
    chunk->set_total_bytes(bytes.size());
    chunk->set_bytes(bytes.substr(offset, chunk_bytes));
    offset += chunk->bytes().size();
    SPILLWAY_ASSIGN_OR_RETURN(const wire::Reply reply, calls.Call(std::move(request), options));
    if (offset < bytes.size()) continue;
    // The job of this upload was accepted and is over: its submission key tells which it was.
    if (!reply.has_submitted() || reply.submitted().job_id().empty())
      return Aborted("the coordinator does not know this upload's job any more");
    return reply.submitted();
  }
}

}  // namespace

Result<wire::Submitted> UploadJob(CoordinatorCalls& calls, const wire::JobSpec& spec,
                                  const CallOptions& options, std::uint64_t chunk_bytes) {
  SPILLWAY_CHECK(!spec.submission_key().empty());
  SPILLWAY_CHECK(chunk_bytes > 0);
  const std::string bytes = spec.SerializeAsString();
  for (int uploads = 1;; ++uploads) {
    auto submitted = Upload(calls, bytes, options, chunk_bytes);
    if (submitted.ok() || submitted.status().code() != Code::kAborted || uploads == kUploadsMax)
      return submitted;
  }
}

std::string NewSubmissionKey() {
  char text[40];
  std::snprintf(text, sizeof text, "%s%016llx%016llx", kOwnKeyPrefix,
                static_cast<unsigned long long>(Random64()),
                static_cast<unsigned long long>(Random64()));
  return text;
}

}  // namespace spillway
