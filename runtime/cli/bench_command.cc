#include "runtime/cli/bench_command.h"

#include <linux/magic.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <boost/filesystem.hpp>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "mapreduce/base/units.h"
#include "runtime/cli/comparison_text.h"
#include "runtime/cli/exit_code.h"
#include "runtime/cli/job_catalog.h"
#include "runtime/cli/loop_bench.h"
#include "runtime/cli/option_value.h"
#include "runtime/cli/signal_trap.h"
#include "runtime/comparison/comparison_page.h"
#include "runtime/comparison/comparison_rows.h"
#include "runtime/comparison/iteration_chart.h"
#include "runtime/comparison/machine_text.h"

namespace spillway {
namespace {

namespace fs = boost::filesystem;

/// What every run is given as it stands on the command line.
constexpr std::string_view kForwarded[] = {"threads",  "memory",         "on", "keys", "key",
                                           "insecure", "connect-timeout"};
constexpr std::string_view kRoundsDefault = "10";

std::uint64_t NumberOr(const CommandLine& line, std::string_view name, std::uint64_t otherwise) {
  const GivenOption* const given = line.Find(name);
  return given == nullptr ? otherwise : NumberOf(*given->option, given->values.back());
}

std::vector<std::string> FlagsOf(const CommandLine& line) {
  std::vector<std::string> flags = {"--rounds=" + line.Value("rounds", kRoundsDefault)};
  for (const std::string_view name : kForwarded)
    if (line.Has(name)) flags.push_back("--" + std::string(name) + "=" + line.Value(name));
  return flags;
}

/// A word as a shell takes it.
std::string Quoted(const std::string& word) {
  const bool plain = !word.empty() && std::all_of(word.begin(), word.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || std::strchr("-_./=:,+@%", c) != nullptr;
  });
  if (plain) return word;
  std::string out = "'";
  for (const char c : word) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

/// The command as it could be typed again.
std::string CommandText(const CommandLine& line) {
  std::string text = "spillway " + std::string(line.command->name);
  for (const std::string& word : line.operands) text += " " + Quoted(word);
  for (const GivenOption& given : line.options) {
    for (const std::string& value : given.values) {
      text += " --" + std::string(given.option->name);
      if (given.option->kind != OptionKind::kSwitch) text += " " + Quoted(value);
    }
  }
  if (!line.job_arguments.empty()) text += " --";
  for (const std::string& word : line.job_arguments) text += " " + Quoted(word);
  return text;
}

/// The jobs to be run; InvalidArgument where there is no data for them.
Result<std::vector<std::string>> JobsOf(const CommandLine& line, const Shell& shell) {
  const std::vector<std::string> examples = SampledExamples();
  if (line.operands.empty()) {
    if (!line.Has("input") && line.job_arguments.empty()) return examples;
    return InvalidArgument(
        "which job? Inputs and arguments are one job's: write spillway bench disk-vs-memory JOB "
        "-i PATH. JOB comes first: -i takes all words up to the next option.");
  }
  const std::string& job = line.operands[0];
  boost::system::error_code error;
  if (!fs::is_directory(job, error))  // A project's, which is built by the run.
    SPILLWAY_RETURN_IF_ERROR(ResolveJob(job, shell.plugin_dir).status());
  if (line.Has("input") || std::find(examples.begin(), examples.end(), job) != examples.end())
    return std::vector<std::string>{job};
  std::string known;
  for (const std::string& name : examples) known += (known.empty() ? "" : ", ") + name;
  return InvalidArgument("sample data is made for " + known + " only. Give '" + EscapeForLog(job) +
                         "' its input by -i PATH.");
}

Result<std::string> ScratchOf(const CommandLine& line, const Shell& shell) {
  const auto variable = shell.environment.find("TMPDIR");
  const bool named = variable != shell.environment.end() && !variable->second.empty();
  const std::string directory =
      line.Value("scratch", named ? std::string_view(variable->second) : "/tmp");
  boost::system::error_code error;
  fs::create_directories(directory, error);
  if (error)
    return PermissionDenied("'" + EscapeForLog(directory) + "' cannot be made: " + error.message() +
                            ". Name another place by --scratch.");
  // Other processes, and those of a cluster, are told of it.
  return fs::absolute(directory).string();
}

/// A page is written at the end; that it cannot be should be known at the beginning.
Status CheckFiles(const CommandLine& line) {
  for (const char* option : {"csv", "html", "svg"}) {
    if (!line.Has(option)) continue;
    const fs::path path = fs::absolute(line.Value(option));
    boost::system::error_code error;
    const bool place = fs::is_directory(path.parent_path(), error);
    const bool may_be_written = fs::exists(path, error)
                                    ? ::access(path.c_str(), W_OK) == 0
                                    : ::access(path.parent_path().c_str(), W_OK | X_OK) == 0;
    if (place && !fs::is_directory(path, error) && may_be_written) continue;
    return InvalidArgument("--" + std::string(option) + ": '" + EscapeForLog(path.string()) +
                           "' cannot be written. Name a file in a directory that is there.");
  }
  return OkStatus();
}

Status WriteFile(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text << std::flush;
  if (file) return OkStatus();
  return ResourceExhausted("'" + EscapeForLog(path) + "' was not written: " + std::strerror(errno) +
                           ".");
}

Status WriteFiles(const CommandLine& line, const ComparisonReport& report) {
  if (line.Has("csv"))
    SPILLWAY_RETURN_IF_ERROR(WriteFile(line.Value("csv"), ComparisonCsv(report)));
  if (line.Has("html"))
    SPILLWAY_RETURN_IF_ERROR(WriteFile(line.Value("html"), ComparisonPage(report)));
  if (line.Has("svg")) SPILLWAY_RETURN_IF_ERROR(WriteFile(line.Value("svg"), ChartFile(report)));
  return OkStatus();
}

bool IsUtf8(const EnvironmentMap& environment) {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const auto found = environment.find(name);
    if (found == environment.end() || found->second.empty()) continue;
    std::string locale = found->second;
    std::transform(locale.begin(), locale.end(), locale.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return locale.find("utf-8") != std::string::npos || locale.find("utf8") != std::string::npos;
  }
  return false;
}

/// Different outputs before all; else that of the first mode that did not run.
int ExitCodeOfLoops(const std::vector<LoopComparison>& loops) {
  int exit_code = kExitDone;
  for (const LoopComparison& loop : loops) {
    if (!loop.difference.empty()) return kExitDiffers;
    for (const ModeFigures* mode : {&loop.memory, &loop.disk})
      if (!mode->ran() && exit_code == kExitDone) exit_code = mode->exit_code;
  }
  return exit_code;
}

void WarnOfMemory(const Shell& shell, const std::string& scratch, TextStyle style) {
  struct statfs info = {};
  if (::statfs(scratch.c_str(), &info) == 0 && info.f_type == TMPFS_MAGIC)
    ReportWarning(shell,
                  "'" + EscapeForLog(scratch) +
                      "' lies in memory (tmpfs), so that disk mode reads and writes no disk. Name "
                      "a disk by --scratch.",
                  style);
}

Result<LoopBenchOptions> ReadOptions(const CommandLine& line, const Shell& shell) {
  LoopBenchOptions options;
  SPILLWAY_ASSIGN_OR_RETURN(options.jobs, JobsOf(line, shell));
  SPILLWAY_RETURN_IF_ERROR(CheckFiles(line));
  SPILLWAY_ASSIGN_OR_RETURN(options.scratch, ScratchOf(line, shell));
  options.program = shell.program;
  options.inputs = line.Values("input");
  options.sample_bytes = NumberOr(line, "size", options.sample_bytes);
  options.seed = NumberOr(line, "seed", options.seed);
  options.flags = FlagsOf(line);
  if (!line.job_arguments.empty()) options.arguments = line.job_arguments;
  const bool quiet = line.Has("quiet");
  options.say = [&shell, quiet](const std::string& remark) {
    if (!quiet) shell.err << "spillway: " << EscapeForLog(remark) << "\n" << std::flush;
  };
  return options;
}

}  // namespace

int BenchCommand(const CommandLine& line, const Shell& shell) {
  const TextStyle style = shell.error_style(line.Value("no-color") == "true");
  auto options = ReadOptions(line, shell);
  if (!options.ok())
    return ReportError(shell, ExitCodeOf(options.status()), options.status().message(), style);
  if (!line.Has("quiet")) WarnOfMemory(shell, options->scratch, style);
  ComparisonReport report{MachineText(), CommandText(line), {}};
  LoopBench bench(std::move(options).value());
  Status status;
  int signal = 0;
  {
    const SignalTrap trap(bench);
    status = bench.Run(&report.loops);
    signal = trap.signal();
  }
  // What was measured is shown, whatever went wrong behind it.
  if (report.loops.empty() && !status.ok())
    return ReportError(shell, ExitCodeOf(status, signal), status.message(), style);
  if (const Status written = WriteFiles(line, report); status.ok()) status = written;
  const int exit_code = status.ok() ? ExitCodeOfLoops(report.loops) : ExitCodeOf(status, signal);
  if (line.Has("json"))
    shell.out << ComparisonJson(report, exit_code) << "\n";
  else
    shell.out << ComparisonText(report, {IsUtf8(shell.environment), TextStyle()});
  if (!status.ok()) return ReportError(shell, exit_code, status.message(), style);
  if (exit_code == kExitDiffers)
    return ReportError(shell, exit_code, "memory mode and disk mode wrote different bytes.", style);
  return exit_code;
}

}  // namespace spillway
