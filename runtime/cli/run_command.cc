#include "runtime/cli/run_command.h"

#include <algorithm>
#include <memory>
#include <ostream>
#include <utility>

#include "mapreduce/base/units.h"
#include "runtime/cli/cluster_target.h"
#include "runtime/cli/exit_code.h"
#include "runtime/cli/help_text.h"
#include "runtime/cli/job_catalog.h"
#include "runtime/cli/job_json.h"
#include "runtime/cli/plan_text.h"
#include "runtime/cli/progress_reporter.h"
#include "runtime/cli/progress_view.h"
#include "runtime/cli/quantity_text.h"
#include "runtime/cli/run_request.h"
#include "runtime/cli/signal_trap.h"
#include "runtime/cli/summary_text.h"
#include "runtime/local/chain_runner.h"

namespace spillway {
namespace {

/// The bare `spillway run`: what there is to run.
int ListJobs(const Shell& shell) {
  shell.out << "Usage: spillway run " << FindCommand("run")->usage << "\n\nBuilt-in jobs:\n";
  const auto jobs = ListBuiltinJobs(shell.plugin_dir);
  for (const BuiltinJob& job : jobs) {
    const auto plugin = shell.inspect(job.path);
    std::string label = "  " + job.name;
    label.resize(std::max<std::size_t>(20, label.size() + 2), ' ');
    shell.out << label
              << (plugin.ok() ? plugin->summary : "does not load: " + plugin.status().message())
              << "\n";
    if (plugin.ok() && !plugin->usage.empty())
      shell.out << std::string(20, ' ') << "arguments: -- " << plugin->usage << "\n";
  }
  if (jobs.empty()) shell.out << "  none in " << shell.plugin_dir << "\n";
  shell.out << "\nAny other job is a plugin: spillway run ./my_job.so ...\n"
               "'spillway run --help' shows all options.\n";
  return kExitDone;
}

/// A failure before or during the job: a paragraph on stderr, and the JSON object if one was
/// promised.
int FinishFailed(const Shell& shell, const RunDisplay& display, const JobReport& report,
                 int exit_code) {
  const TextStyle style = shell.error_style(display.no_color);
  for (const std::string& warning : report.warnings) ReportWarning(shell, warning, style);
  ReportError(shell, exit_code, report.status.message(), style);
  if (display.json != JsonOutput::kNone) shell.out << SummaryJson(report, exit_code) << "\n";
  return exit_code;
}

/// The plan and its reasons, where they were asked for: results of a dry run, remarks otherwise.
void ShowPlan(const Shell& shell, const RunDisplay& display, const JobPlan& plan,
              const Settings& settings) {
  const bool events = display.json == JsonOutput::kEvents;
  const bool json = display.json != JsonOutput::kNone;
  if (json && (events || display.dry_run || display.explain)) {
    shell.out << PlanJson(plan, display.explain) << "\n" << std::flush;
  } else if (!json) {
    std::ostream& out = display.dry_run ? shell.out : shell.err;
    if (display.dry_run) out << PlanText(plan);
    if (display.explain) out << ReasonsText(plan);
    if (display.explain || display.verbose) out << OriginsText(settings);
    out << std::flush;
  }
  if (display.quiet) return;
  for (const std::string& warning : PlanWarnings(plan))
    ReportWarning(shell, warning, shell.error_style(display.no_color));
}

std::unique_ptr<ProgressView> MakeView(const Shell& shell, const RunDisplay& display,
                                       const JobPlan& plan) {
  if (display.json == JsonOutput::kEvents)
    return std::make_unique<EventProgressView>(shell.out, shell.err);
  if (display.quiet || display.progress == ProgressOutput::kNone)
    return std::make_unique<SilentProgressView>(shell.err);
  const TextStyle style = shell.error_style(display.no_color);
  const auto term = shell.environment.find("TERM");
  const bool can_redraw =
      shell.err_is_terminal && term != shell.environment.end() && term->second != "dumb";
  if (can_redraw && display.progress == ProgressOutput::kAuto)
    return std::make_unique<TerminalProgressView>(plan.job_name, shell.err, style, shell.columns);
  const std::string where = plan.coordinator.empty() ? FormatNoun(plan.threads, "thread")
                                                     : "on " + EscapeForLog(plan.coordinator);
  shell.err << "spillway: " + EscapeForLog(plan.job_name) + ": " + FormatNoun(plan.maps, "map") +
                   " over " + FormatBytes(plan.input_bytes) + ", " +
                   FormatNoun(plan.partitions, "reduce") + ", " + where + "\n"
            << std::flush;
  return std::make_unique<PlainProgressView>(plan.job_name, shell.err);
}

/// Runs with progress and signals. `signal` is the one that asked to stop, or 0.
JobReport RunWatched(const Shell& shell, const RunDisplay& display, JobRunner& runner,
                     int* signal) {
  const auto view = MakeView(shell, display, runner.plan());
  const SignalTrap trap(runner);
  ProgressReporter reporter(runner, *view, [&trap] { return trap.signal(); });
  JobReport report = runner.Run();
  reporter.Stop();
  *signal = trap.signal();
  return report;
}

/// A job that the coordinator did not accept failed for want of a coordinator.
int RunExitCode(const JobReport& report, bool remote, int signal) {
  const bool accepted = !report.job_id.empty();
  return remote && !accepted ? ClusterExitCode(report.status, signal)
                             : ExitCodeOf(report.status, signal);
}

Result<std::unique_ptr<JobRunner>> PrepareRemote(const CommandLine& line, const Shell& shell,
                                                 const JobRequest& request,
                                                 const ClusterTarget& target) {
  RemoteOptions options;
  options.coordinator = target.client.endpoint;
  options.connect = [&shell, client = target.client](WaitNote note) {
    return shell.dial(client, std::move(note));
  };
  SPILLWAY_ASSIGN_OR_RETURN(options.submission, ReadSubmission(line));
  options.connect_timeout_ms = target.connect_timeout_ms;
  options.kill_on_cancel = line.command->name != "submit";
  SPILLWAY_ASSIGN_OR_RETURN(auto runner, shell.prepare_remote(request, std::move(options)));
  return std::unique_ptr<JobRunner>(std::move(runner));
}

int FinishDone(const Shell& shell, const RunDisplay& display, const JobReport& report) {
  const TextStyle style = shell.error_style(display.no_color);
  if (display.json != JsonOutput::kNone) {
    if (!display.quiet)
      for (const std::string& warning : report.warnings) ReportWarning(shell, warning, style);
    shell.out << SummaryJson(report, kExitDone) << "\n" << std::flush;
    return kExitDone;
  }
  if (!display.quiet) shell.err << SummaryText(report, display.verbose, style) << std::flush;
  return kExitDone;
}

/// What `run` and `submit` have in common: everything until the job could start.
struct Preparation {
  Settings settings;
  RunDisplay display;
  bool remote = false;
  std::unique_ptr<JobRunner> runner;  ///< A RemoteRunner when `remote`.
};

/// The runner and how it is shown, or the status with its exit code.
Status PrepareRunner(const CommandLine& line, const Shell& shell, Preparation* made,
                     int* exit_code) {
  *exit_code = kExitConfiguration;
  made->display = ReadRunDisplay(line, Settings());
  SPILLWAY_ASSIGN_OR_RETURN(made->settings,
                            ResolveSettings(line, shell.environment, shell.config_paths));
  made->display = ReadRunDisplay(line, made->settings);
  const auto target = FindClusterTarget(line, made->settings);
  *exit_code = ExitCodeOf(target.status());
  SPILLWAY_RETURN_IF_ERROR(target.status());
  made->remote = target->has_value();
  auto request = BuildJobRequest(line, made->settings, shell.plugin_dir);
  if (request.ok() && !made->remote) {
    const Status local = CheckLocalOptions(line);
    if (!local.ok()) request = local;
  }
  *exit_code = ExitCodeOf(request.status());
  if (!request.ok())
    return InvalidArgument(request.status().message() + " See 'spillway " +
                           std::string(line.command->name) + " --help'.");
  const TextStyle style = shell.error_style(made->display.no_color);
  std::vector<std::string> warnings = EnvironmentWarnings(shell.environment);
  if (made->remote)
    for (std::string& warning : ClusterWarnings(line)) warnings.push_back(std::move(warning));
  if (!made->display.quiet)
    for (const std::string& warning : warnings) ReportWarning(shell, warning, style);
  const StageFactory prepare = [&line, &shell, cluster = *target](const JobRequest& stage) {
    return cluster.has_value() ? PrepareRemote(line, shell, stage, *cluster) : shell.prepare(stage);
  };
  Result<std::unique_ptr<JobRunner>> runner = prepare(*request);
  *exit_code = ExitCodeOf(runner.status());
  SPILLWAY_RETURN_IF_ERROR(runner.status());
  made->runner = std::move(runner).value();
  if (made->runner->plan().chain.size() < 2) return OkStatus();
  const Status driven = CheckChainOptions(line);
  *exit_code = ExitCodeOf(driven);
  SPILLWAY_RETURN_IF_ERROR(driven);
  made->runner = std::make_unique<ChainRunner>(*request, std::move(made->runner), prepare);
  return OkStatus();
}

void ShowAccepted(const Shell& shell, const RunDisplay& display, const AcceptedJob& job) {
  if (job.reattached && !display.quiet)
    ReportWarning(shell, "a job with this submission key was there already; it is this one.",
                  shell.error_style(display.no_color));
  if (display.json != JsonOutput::kNone) {
    shell.out << SubmittedJson(job.job_id, job.reattached) << "\n" << std::flush;
  } else {
    shell.out << job.job_id << "\n" << std::flush;
  }
}

/// Hands the job over, with notices but without progress, and does not wait for it.
Result<AcceptedJob> SubmitWatched(const Shell& shell, RemoteRunner& runner, int* signal) {
  SilentProgressView view(shell.err);
  const SignalTrap trap(runner);
  ProgressReporter reporter(runner, view, [&trap] { return trap.signal(); });
  auto accepted = runner.Submit();
  reporter.Stop();
  *signal = trap.signal();
  return accepted;
}

/// Runs the job to its end and reports it.
int RunToEnd(const Shell& shell, const Preparation& job) {
  int signal = 0;
  const JobReport report = RunWatched(shell, job.display, *job.runner, &signal);
  if (report.status.ok()) return FinishDone(shell, job.display, report);
  return FinishFailed(shell, job.display, report, RunExitCode(report, job.remote, signal));
}

}  // namespace

int ReportNoJob(const Shell& shell, const Status& status, bool json) {
  JobReport report;
  report.status = status;
  const int exit_code = ReportError(shell, ExitCodeOf(status), status.message());
  if (json) shell.out << SummaryJson(report, exit_code) << "\n";
  return exit_code;
}

int RunJobCommand(const CommandLine& line, const Shell& shell) {
  if (line.operands.empty() && line.options.empty()) return ListJobs(shell);
  Preparation job;
  JobReport report;
  int exit_code = kExitDone;
  report.status = PrepareRunner(line, shell, &job, &exit_code);
  if (!report.status.ok()) return FinishFailed(shell, job.display, report, exit_code);
  ShowPlan(shell, job.display, job.runner->plan(), job.settings);
  return job.display.dry_run ? kExitDone : RunToEnd(shell, job);
}

int SubmitJobCommand(const CommandLine& line, const Shell& shell) {
  Preparation job;
  JobReport report;
  int exit_code = kExitDone;
  report.status = PrepareRunner(line, shell, &job, &exit_code);
  if (!report.status.ok()) return FinishFailed(shell, job.display, report, exit_code);
  if (!job.remote) {
    report.status = InvalidArgument(
        "submit to which coordinator? Give --on HOST:PORT, or set SPILLWAY_ON, or 'on' in "
        "spillway.toml. 'spillway run' needs none.");
    return FinishFailed(shell, job.display, report, kExitUsage);
  }
  ShowPlan(shell, job.display, job.runner->plan(), job.settings);
  if (job.display.dry_run) return kExitDone;
  int signal = 0;
  auto& runner = static_cast<RemoteRunner&>(*job.runner);
  const auto accepted = SubmitWatched(shell, runner, &signal);
  if (!accepted.ok()) {
    report.status = accepted.status();
    return FinishFailed(shell, job.display, report, RunExitCode(report, true, signal));
  }
  ShowAccepted(shell, job.display, *accepted);
  return line.Has("wait") ? RunToEnd(shell, job) : kExitDone;
}

}  // namespace spillway
