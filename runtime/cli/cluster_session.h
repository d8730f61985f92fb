// ClusterSession: what commands that only ask a coordinator have in common: settings, target,
// connection, and how failures end. One thread.
#pragma once

#include <memory>
#include <string>

#include "runtime/cli/cluster_target.h"
#include "runtime/cli/command_line.h"
#include "runtime/cli/shell.h"

namespace spillway {

class ClusterSession {
 public:
  /// Outlived by `shell` and `line`. What goes wrong is kept for `failed`.
  ClusterSession(const CommandLine& line, const Shell& shell);

  /// Ok, or why there is no connection; then `exit_code` says how to end.
  const Status& status() const { return status_; }
  const std::string& endpoint() const { return target_.client.endpoint; }
  CoordinatorCalls& calls() { return *calls_; }

  /// Gives up after --connect-timeout.
  CallOptions bounded() const { return {.give_up_ms = target_.connect_timeout_ms}; }
  Result<wire::Reply> Call(wire::Request request) { return calls_->Call(request, bounded()); }

  /// Reports a failure of the session or of a call; the process's exit code.
  int Fail(const Status& status) const;

 private:
  Status Open(const CommandLine& line);

  const Shell& shell_;
  ClusterTarget target_;
  std::unique_ptr<CoordinatorCalls> calls_;
  Status status_;
  int exit_code_ = 0;  ///< Of status_, where its code alone does not say; or 0.
};

}  // namespace spillway
