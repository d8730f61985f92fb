#include "runtime/cli/project_command.h"

#include <boost/filesystem.hpp>
#include <string>
#include <utility>
#include <vector>

#include "mapreduce/base/units.h"
#include "runtime/cli/exit_code.h"
#include "runtime/cli/job_catalog.h"
#include "runtime/cli/project_build.h"
#include "runtime/cli/run_command.h"

namespace spillway {
namespace {

namespace fs = boost::filesystem;

void Give(CommandLine* line, std::string_view name, std::string value) {
  line->options.push_back({FindOption(*line->command, name), {std::move(value)}});
}

/// A project's own input and output, where none are named.
void AddPlaces(const fs::path& directory, CommandLine* line) {
  boost::system::error_code error;
  if (!line->Has("input") && fs::is_directory(directory / "data", error))
    Give(line, "input", (directory / "data").string());
  if (line->Has("output")) return;
  Give(line, "output", (directory / "out").string());
  if (!line->Has("overwrite")) Give(line, "overwrite", "all");
}

Status Resolve(const Shell& shell, CommandLine* line) {
  const std::string directory = line->operands[0];
  SPILLWAY_ASSIGN_OR_RETURN(line->operands[0], BuildOnePlugin(directory, shell.prefix));
  AddPlaces(directory, line);
  return OkStatus();
}

}  // namespace

bool NamesProject(const CommandLine& line, const Shell& shell) {
  if (line.operands.size() != 1 || line.Has("plugin")) return false;
  const std::string& word = line.operands[0];
  boost::system::error_code error;
  if (!fs::is_directory(word, error)) return false;
  for (const BuiltinJob& job : ListBuiltinJobs(shell.plugin_dir))
    if (job.name == word) return false;
  return true;
}

Result<std::string> BuildOnePlugin(const std::string& directory, const std::string& prefix) {
  SPILLWAY_ASSIGN_OR_RETURN(std::vector<std::string> plugins, BuildProject(directory, prefix));
  if (plugins.size() == 1) return std::move(plugins[0]);
  std::string message = "'" + EscapeForLog(directory) + "' has several plugins. Name one of them:";
  for (const std::string& plugin : plugins) message += " " + EscapeForLog(plugin);
  return InvalidArgument(message);
}

int ResolveProject(const Shell& shell, CommandLine* line) {
  const Status status = Resolve(shell, line);
  return status.ok() ? kExitDone : ReportNoJob(shell, status, line->Has("json"));
}

}  // namespace spillway
