// Shell: everything outside itself that a command may touch. main() fills it from the process;
// tests fill it with string streams and a runner of their own.
#pragma once

#include <cstddef>
#include <functional>
#include <iosfwd>
#include <memory>
#include <string>
#include <vector>

#include "mapreduce/base/status.h"
#include "runtime/cli/settings.h"
#include "runtime/cli/text_style.h"
#include "runtime/client/coordinator_client.h"
#include "runtime/client/remote_runner.h"
#include "runtime/coordinator/coordinator_options.h"
#include "runtime/filter/filter_process.h"
#include "runtime/local/local_runner.h"
#include "runtime/worker/worker_options.h"

namespace spillway {

using RunnerFactory = std::function<Result<std::unique_ptr<JobRunner>>(const JobRequest& request)>;
using RemoteRunnerFactory = std::function<Result<std::unique_ptr<RemoteRunner>>(
    const JobRequest& request, RemoteOptions options)>;
using CoordinatorDialer = std::function<Result<std::unique_ptr<CoordinatorCalls>>(
    const ClientOptions& coordinator, WaitNote note)>;
using PluginInspector = std::function<Result<PluginDescription>(const std::string& path)>;

struct Shell {
  std::ostream& out;  ///< Results only.
  std::ostream& err;  ///< Everything else.
  bool err_is_terminal = false;
  std::function<std::size_t()> columns;  ///< The terminal's width, as it is now.
  EnvironmentMap environment;
  std::vector<std::string> config_paths;  ///< Strongest first.
  std::string plugin_dir;                 ///< Where the built-in jobs are.
  std::string prefix = {};                ///< What bin/, lib/ and share/ lie in.
  std::string program = {};               ///< This command's own file.
  RunnerFactory prepare;
  RemoteRunnerFactory prepare_remote = {};
  CoordinatorDialer dial = {};
  PluginInspector inspect;
  std::function<FilterOutcome(const FilterRequest& request)> filter = {};
  std::function<Result<FilterFacts>(const std::string& plugin_path,
                                    const std::vector<std::string>& args)>
      inspect_filter = {};
  std::function<std::uint64_t()> unix_ms = {};  ///< The wall clock, for ages.
  std::function<std::string()> host_name = {};
  /// The daemons: they return when they have ended.
  std::function<Status(const CoordinatorOptions& options)> coordinator = {};
  std::function<Status(const WorkerOptions& options)> worker = {};

  /// Emphasis for stderr: on a terminal that knows it, unless NO_COLOR or `no_color` is set.
  TextStyle error_style(bool no_color = false) const;
};

/// Writes "spillway: MESSAGE" to stderr and returns `exit_code`.
int ReportError(const Shell& shell, int exit_code, const std::string& message, TextStyle style);
int ReportError(const Shell& shell, int exit_code, const std::string& message);

/// Writes "spillway: warning: MESSAGE" to stderr.
void ReportWarning(const Shell& shell, const std::string& message, TextStyle style);

}  // namespace spillway
