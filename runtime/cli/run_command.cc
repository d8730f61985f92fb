#include "runtime/cli/run_command.h"

#include <algorithm>
#include <memory>
#include <ostream>
#include <utility>

#include "mapreduce/base/units.h"
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
  const std::string warning = ScratchWarning(plan);
  if (!warning.empty() && !display.quiet)
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
  shell.err << "spillway: " + EscapeForLog(plan.job_name) + ": " + FormatNoun(plan.maps, "map") +
                   " over " + FormatBytes(plan.input_bytes) + ", " +
                   FormatNoun(plan.partitions, "reduce") + ", " +
                   FormatNoun(plan.threads, "thread") + "\n"
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

}  // namespace

int RunJobCommand(const CommandLine& line, const Shell& shell) {
  if (line.operands.empty() && line.options.empty()) return ListJobs(shell);
  JobReport report;
  const auto settings = ResolveSettings(line, shell.environment, shell.config_paths);
  if (!settings.ok()) {
    report.status = settings.status();
    return FinishFailed(shell, ReadRunDisplay(line, Settings()), report, kExitConfiguration);
  }
  const RunDisplay display = ReadRunDisplay(line, *settings);
  const auto request = BuildJobRequest(line, *settings, shell.plugin_dir);
  if (!request.ok()) {
    report.status = InvalidArgument(request.status().message() + " See 'spillway run --help'.");
    return FinishFailed(shell, display, report, ExitCodeOf(request.status()));
  }
  if (!display.quiet)
    for (const std::string& warning : EnvironmentWarnings(shell.environment))
      ReportWarning(shell, warning, shell.error_style(display.no_color));
  auto runner = shell.prepare(*request);
  if (!runner.ok()) {
    report.status = runner.status();
    return FinishFailed(shell, display, report, ExitCodeOf(report.status));
  }
  ShowPlan(shell, display, (*runner)->plan(), *settings);
  if (display.dry_run) return kExitDone;
  int signal = 0;
  report = RunWatched(shell, display, **runner, &signal);
  if (report.status.ok()) return FinishDone(shell, display, report);
  return FinishFailed(shell, display, report, ExitCodeOf(report.status, signal));
}

}  // namespace spillway
