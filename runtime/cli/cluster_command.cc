#include "runtime/cli/cluster_command.h"

#include <ostream>
#include <utility>

#include "runtime/cli/cluster_session.h"
#include "runtime/cli/exit_code.h"
#include "runtime/cli/job_state_text.h"

namespace spillway {

int ClusterStatusCommand(const CommandLine& line, const Shell& shell) {
  ClusterSession session(line, shell);
  if (!session.status().ok()) return session.Fail(session.status());
  wire::Request request;
  request.mutable_cluster();
  const auto reply = session.Call(std::move(request));
  if (!reply.ok()) return session.Fail(reply.status());
  shell.out << (line.Has("json") ? ClusterJson(reply->cluster(), session.endpoint()) + "\n"
                                 : ClusterText(reply->cluster(), session.endpoint()));
  return kExitDone;
}

}  // namespace spillway
