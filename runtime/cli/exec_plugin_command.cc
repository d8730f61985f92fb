#include "runtime/cli/exec_plugin_command.h"

#include <algorithm>
#include <charconv>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>

#include "runtime/cli/exit_code.h"
#include "runtime/cli/job_catalog.h"
#include "runtime/cli/option_value.h"
#include "runtime/cli/run_request.h"

namespace spillway {
namespace {

constexpr std::pair<const char*, FilterPhase> kPhases[] = {{"map", FilterPhase::kMap},
                                                           {"combine", FilterPhase::kCombine},
                                                           {"reduce", FilterPhase::kReduce}};

std::string_view Variable(const Shell& shell, const char* name) {
  const auto found = shell.environment.find(name);
  return found == shell.environment.end() ? std::string_view() : found->second;
}

/// Another system's variable: what is no number there counts as nothing said.
std::uint32_t NumberIn(std::string_view text, std::uint32_t fallback) {
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? number : fallback;
}

/// attempt_1700000000000_0001_m_000003_1: the last number.
std::uint32_t AttemptIn(std::string_view id) { return NumberIn(id.substr(id.rfind('_') + 1), 0); }

std::uint32_t PartitionsOf(const CommandLine& line, const Shell& shell) {
  if (const GivenOption* given = line.Find("partitions"))
    return static_cast<std::uint32_t>(NumberOf(*given->option, given->values.back()));
  return std::max(1U, NumberIn(Variable(shell, "mapreduce_job_reduces"), 1));
}

}  // namespace

Result<FilterRequest> ReadFilterRequest(const CommandLine& line, const Shell& shell) {
  if (line.operands.empty())
    return InvalidArgument(
        "missing: JOB. Write spillway exec-plugin JOB --map, --combine or --reduce.");
  FilterRequest request;
  std::size_t phases = 0;
  for (const auto& [name, phase] : kPhases) {
    if (!line.Has(name)) continue;
    request.options.phase = phase;
    ++phases;
  }
  if (phases != 1) return InvalidArgument("say which phase: one of --map, --combine and --reduce.");
  SPILLWAY_ASSIGN_OR_RETURN(request.plugin_path, ResolveJob(line.operands[0], shell.plugin_dir));
  SPILLWAY_ASSIGN_OR_RETURN(request.side_files, ReadSideFiles(line));
  request.args = line.job_arguments;
  request.partitions = PartitionsOf(line, shell);
  if (const GivenOption* memory = line.Find("memory"))
    request.options.memory_bytes = NumberOf(*memory->option, memory->values.back());
  request.options.task_index = NumberIn(Variable(shell, "mapreduce_task_partition"), 0);
  request.options.attempt = AttemptIn(Variable(shell, "mapreduce_task_attempt_id"));
  if (const auto file = Variable(shell, "mapreduce_map_input_file");
      !file.empty() && request.options.phase == FilterPhase::kMap)
    request.options.input_name = file;
  return request;
}

int ExecPluginCommand(const CommandLine& line, const Shell& shell) {
  const auto request = ReadFilterRequest(line, shell);
  if (!request.ok())
    return ReportError(shell, ExitCodeOf(request.status()),
                       request.status().message() + " See 'spillway exec-plugin --help'.");
  const FilterOutcome outcome = shell.filter(*request);
  if (!outcome.status.ok())
    return ReportError(shell, ExitCodeOf(outcome.status), outcome.status.message());
  shell.err << CounterLines(outcome.counters) << std::flush;
  return kExitDone;
}

}  // namespace spillway
