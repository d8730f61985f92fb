// JobWait: waiting for the end of a job of a coordinator. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "runtime/client/coordinator_client.h"
#include "runtime/protocol/spillway.pb.h"

namespace spillway {

/// Asks for the job until it has ended, and hands each answer to `seen` (which may be empty); each
/// question waits up to `wait_ms` for the end. Errors as CoordinatorCalls::Call; NotFound: no such
/// job.
Result<wire::JobState> WaitForJob(CoordinatorCalls& calls, const std::string& job_id,
                                  std::uint64_t wait_ms, const CallOptions& options,
                                  const std::function<void(const wire::JobState&)>& seen);

}  // namespace spillway
