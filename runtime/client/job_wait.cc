#include "runtime/client/job_wait.h"

#include <utility>

namespace spillway {

Result<wire::JobState> WaitForJob(CoordinatorCalls& calls, const std::string& job_id,
                                  std::uint64_t wait_ms, const CallOptions& options,
                                  const std::function<void(const wire::JobState&)>& seen) {
  CallOptions waiting = options;
  waiting.answer_ms = wait_ms;
  while (true) {
    wire::Request request;
    request.mutable_job()->set_job_id(job_id);
    request.mutable_job()->set_wait_ms(wait_ms);
    SPILLWAY_ASSIGN_OR_RETURN(wire::Reply reply, calls.Call(std::move(request), waiting));
    if (!reply.has_job())
      return InternalError("the coordinator answered a question about a job without the job");
    if (seen) seen(reply.job());
    if (reply.job().ended()) return std::move(*reply.mutable_job());
  }
}

}  // namespace spillway
