// UploadJob: hands a JobSpec to a coordinator, in pieces, because a frame holds 1 MiB at most.
#pragma once

#include <cstdint>

#include "mapreduce/base/status.h"
#include "runtime/client/coordinator_client.h"
#include "runtime/protocol/spillway.pb.h"

namespace spillway {

inline constexpr std::uint64_t kSubmitChunkBytes = 512 << 10;
/// Uploads that a coordinator forgot (it was restarted meanwhile) before this is given up.
inline constexpr int kUploadsMax = 5;

/// The spec has a submission key, by which a repetition is the same job: an upload that the
/// coordinator does not know any more (Aborted) is begun anew. Errors as CoordinatorCalls::Call.
Result<wire::Submitted> UploadJob(CoordinatorCalls& calls, const wire::JobSpec& spec,
                                  const CallOptions& options,
                                  std::uint64_t chunk_bytes = kSubmitChunkBytes);

/// A name that no other submission has; it begins with kOwnKeyPrefix.
std::string NewSubmissionKey();

}  // namespace spillway
