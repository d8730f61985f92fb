#include "runtime/cli/cluster_session.h"

#include <ostream>

#include "runtime/cli/exit_code.h"

namespace spillway {

ClusterSession::ClusterSession(const CommandLine& line, const Shell& shell) : shell_(shell) {
  status_ = Open(line);
}

Status ClusterSession::Open(const CommandLine& line) {
  const auto settings = ResolveSettings(line, shell_.environment, shell_.config_paths);
  if (!settings.ok()) {
    exit_code_ = kExitConfiguration;
    return settings.status();
  }
  SPILLWAY_ASSIGN_OR_RETURN(target_, RequireClusterTarget(line, *settings));
  const bool no_color = settings->Truth("no-color");
  SPILLWAY_ASSIGN_OR_RETURN(
      calls_, shell_.dial(target_.client, [&shell = shell_, no_color](const std::string& text) {
        if (!text.empty()) ReportWarning(shell, text, shell.error_style(no_color));
      }));
  return OkStatus();
}

int ClusterSession::Fail(const Status& status) const {
  const int exit_code = !status_.ok() && exit_code_ != 0 ? exit_code_ : ClusterExitCode(status);
  return ReportError(shell_, exit_code, status.message());
}

}  // namespace spillway
