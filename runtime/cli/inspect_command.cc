#include "runtime/cli/inspect_command.h"

#include <ostream>

#include "mapreduce/base/units.h"
#include "runtime/cli/exit_code.h"
#include "runtime/cli/job_catalog.h"
#include "runtime/cli/job_json.h"

namespace spillway {
namespace {

std::string PluginText(const PluginDescription& plugin) {
  // A plugin's own words are shown as text, never as escape sequences.
  std::string text = EscapeForLog(plugin.name) + ": " + EscapeForLog(plugin.summary) + "\n";
  text += "  path        " + EscapeForLog(plugin.path, 400) + "\n";
  text += "  arguments   " + (plugin.usage.empty() ? "none" : EscapeForLog(plugin.usage)) + "\n";
  text += "  plugin ABI  " + std::to_string(plugin.abi_version) + "\n";
  text += "  built with  Spillway " + EscapeForLog(plugin.sdk_version) + ", " +
          EscapeForLog(plugin.compiler) + "\n";
  return text;
}

}  // namespace

int InspectPluginCommand(const CommandLine& line, const Shell& shell) {
  if (line.operands.empty())
    return ReportError(shell, kExitUsage, "which plugin? Write spillway plugin inspect PATH|NAME.");
  const auto path = ResolveJob(line.operands[0], shell.plugin_dir);
  if (!path.ok()) return ReportError(shell, ExitCodeOf(path.status()), path.status().message());
  const auto plugin = shell.inspect(*path);
  if (!plugin.ok())
    return ReportError(shell, ExitCodeOf(plugin.status()), plugin.status().message());
  shell.out << (line.Has("json") ? PluginJson(*plugin) + "\n" : PluginText(*plugin));
  return kExitDone;
}

}  // namespace spillway
