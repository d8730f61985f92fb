#include "runtime/filter/filter_process.h"

#include <memory>
#include <utility>

#include "runtime/task/crash_report.h"
#include "runtime/task/plugin_library.h"

namespace spillway {
namespace {

constexpr int kCrashExitCode = 1;  // "The job failed", as for any other failure of user code.

std::string ReporterWord(std::string word) {
  for (char& c : word) {
    if (c == ',') c = ';';
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  }
  return word;
}

Result<std::unique_ptr<PluginJob>> LoadJob(const std::string& plugin_path,
                                           const std::vector<std::string>& args) {
  SPILLWAY_ASSIGN_OR_RETURN(auto library, PluginLibrary::Load(plugin_path, &args));
  SPILLWAY_ASSIGN_OR_RETURN(auto job, PluginJob::Configure(std::move(library), args));
  if (job->chain() != nullptr)
    return InvalidArgument(
        "the job is a chain of several jobs, and has no one map and reduce. 'spillway run' runs "
        "it.");
  if (job->abi().input_count > 0)
    return InvalidArgument(
        "the job has several inputs by name, and a filter's lines do not say of which they are. "
        "'spillway run' runs it.");
  if (job->abi().writes_directories != 0)
    return InvalidArgument(
        "the job writes to directories named KEY=VALUE, and a filter has one output. 'spillway "
        "run' runs it.");
  return job;
}

}  // namespace

FilterOutcome RunFilterProcess(const FilterRequest& request) {
  FilterOutcome outcome;
  const auto plugin = LoadJob(request.plugin_path, request.args);
  outcome.status = plugin.status();
  if (!plugin.ok()) return outcome;
  InstallCrashReports(kCrashExitCode);
  RegisterPluginCode(reinterpret_cast<const void*>((*plugin)->abi().mapper_create),
                     request.plugin_path.c_str());
  JobContext job;
  job.plugin = plugin->get();
  job.job = 1;
  job.side_files = request.side_files;
  job.input_names = {request.options.input_name};
  job.partitions = request.partitions;
  return RunPluginFilter(job, request.options);
}

Result<FilterFacts> InspectFilter(const std::string& plugin_path,
                                  const std::vector<std::string>& args) {
  SPILLWAY_ASSIGN_OR_RETURN(const auto plugin, LoadJob(plugin_path, args));
  return FilterFactsOf(plugin->abi());
}

std::string CounterLines(const CounterValues& counters) {
  std::string lines;
  for (const auto& [group, names] : counters)
    for (const auto& [name, amount] : names)
      lines += "reporter:counter:" + ReporterWord(group) + "," + ReporterWord(name) + "," +
               std::to_string(amount) + "\n";
  return lines;
}

}  // namespace spillway
