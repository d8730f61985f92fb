#include "runtime/cli/spillway_command.h"

#include <algorithm>
#include <exception>
#include <ostream>

#include "mapreduce/base/name_suggestion.h"
#include "mapreduce/base/units.h"
#include "runtime/cli/bench_command.h"
#include "runtime/cli/cluster_command.h"
#include "runtime/cli/command_line.h"
#include "runtime/cli/completion_command.h"
#include "runtime/cli/daemon_command.h"
#include "runtime/cli/doctor_command.h"
#include "runtime/cli/exec_plugin_command.h"
#include "runtime/cli/executor_command.h"
#include "runtime/cli/exit_code.h"
#include "runtime/cli/export_command.h"
#include "runtime/cli/help_text.h"
#include "runtime/cli/inspect_command.h"
#include "runtime/cli/jobs_command.h"
#include "runtime/cli/keys_command.h"
#include "runtime/cli/new_command.h"
#include "runtime/cli/option_table.h"
#include "runtime/cli/project_command.h"
#include "runtime/cli/run_command.h"
#include "runtime/cli/stream_command.h"
#include "runtime/cli/version_command.h"

namespace spillway {
namespace {

using Words = std::vector<std::string>;

/// A command's name in words, and what follows.
struct FoundCommand {
  const CommandSpec* command = nullptr;
  std::size_t name_words = 0;
};

FoundCommand FindCommandIn(const Words& words) {
  if (words.size() >= 2)
    if (const CommandSpec* command = FindCommand(words[0] + " " + words[1])) return {command, 2};
  if (!words.empty())
    if (const CommandSpec* command = FindCommand(words[0])) return {command, 1};
  return {};
}

bool IsGroup(const std::string& word) {
  return std::any_of(Commands().begin(), Commands().end(), [&](const CommandSpec& command) {
    return command.name.starts_with(word + " ");
  });
}

/// What the words could have meant: full names of commands, or those behind a group's name.
int ReportUnknownCommand(const Words& words, const Shell& shell) {
  const bool in_group = IsGroup(words[0]);
  std::string typed = words[0], group = in_group ? words[0] + " " : "";
  if (in_group) typed = words.size() > 1 ? words[1] : "";
  Words names;
  for (const CommandSpec& command : Commands()) {
    if (!command.name.starts_with(group)) continue;
    const std::string_view rest = command.name.substr(group.size());
    names.emplace_back(in_group ? rest : rest.substr(0, rest.find(' ')));
  }
  if (typed.empty() || typed[0] == '-') {
    std::string known;
    for (const std::string& name : names) known += (known.empty() ? "" : ", ") + name;
    return ReportError(shell, kExitUsage,
                       "'spillway " + words[0] + "' needs a command behind it: " + known + ".");
  }
  const std::string meant = DidYouMean(typed, names, "spillway " + group);
  return ReportError(shell, kExitUsage,
                     "there is no command '" + EscapeForLog(group + typed) + "'." +
                         (meant.empty() ? " 'spillway help' lists all." : meant));
}

int HelpCommand(const CommandLine& line, const Shell& shell) {
  if (line.operands.empty()) {
    shell.out << OverviewHelp();
    return kExitDone;
  }
  const FoundCommand found = FindCommandIn(line.operands);
  if (found.command == nullptr) return ReportUnknownCommand(line.operands, shell);
  shell.out << CommandHelp(*found.command);
  return kExitDone;
}

int Dispatch(const CommandLine& line, const Shell& shell) {
  const std::string_view name = line.command->name;
  if ((name == "run" || name == "submit") && NamesProject(line, shell)) {
    CommandLine built = line;
    const int exit_code = ResolveProject(shell, &built);
    return exit_code == kExitDone ? Dispatch(built, shell) : exit_code;
  }
  if (name == "run") return RunJobCommand(line, shell);
  if (name == "stream") return StreamCommand(line, shell);
  if (name == "exec-plugin") return ExecPluginCommand(line, shell);
  if (name.starts_with("export ")) return ExportCommand(line, shell);
  if (name == "submit") return SubmitJobCommand(line, shell);
  if (name.starts_with("jobs ")) return JobsCommand(line, shell);
  if (name == "cluster status") return ClusterStatusCommand(line, shell);
  if (name == "coordinator") return CoordinatorCommand(line, shell);
  if (name == "worker") return WorkerCommand(line, shell);
  if (name == "plugin inspect") return InspectPluginCommand(line, shell);
  if (name == "keys init") return InitKeysCommand(line, shell);
  if (name == "keys add") return AddKeyCommand(line, shell);
  if (name == "keys list") return ListKeysCommand(line, shell);
  if (name == "keys revoke") return RevokeKeyCommand(line, shell);
  if (name == "bench disk-vs-memory") return BenchCommand(line, shell);
  if (name == "new") return NewProjectCommand(line, shell);
  if (name == "completion") return CompletionCommand(line, shell);
  if (name == "doctor") return DoctorCommand(line, shell);
  if (name == "version") return VersionCommand(line, shell);
  if (name == "help") return HelpCommand(line, shell);
  return ReportError(shell, kExitInternal, "no code for command " + std::string(name));
}

/// Whether the words, which may be wrong, ask for the object by which commands that run a job end.
bool PromisesSummary(const CommandSpec& command, const Words& words) {
  const OptionSpec* const json = FindOption(command, "json");
  if (json == nullptr || json->kind != OptionKind::kOptionalChoice) return false;
  const auto own_end = std::find(words.begin(), words.end(), "--");
  return std::any_of(words.begin(), own_end, [](const std::string& word) {
    return word == "--json" || word.starts_with("--json=");
  });
}

int RunGuarded(Words words, const Shell& shell) {
  if (words.empty()) {
    shell.err << OverviewHelp();
    return kExitUsage;
  }
  if (words[0] == "--help" || words[0] == "-h") words = {"help"};
  if (words[0] == "--version") words[0] = "version";
  if (words[0] == "executor") return ExecutorCommand({words.begin() + 1, words.end()}, shell);
  const FoundCommand found = FindCommandIn(words);
  if (found.command == nullptr) return ReportUnknownCommand(words, shell);
  words.erase(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(found.name_words));
  if (AsksForHelp(words)) {
    shell.out << CommandHelp(*found.command);
    return kExitDone;
  }
  const auto line = ParseCommandLine(*found.command, words);
  if (line.ok()) return Dispatch(*line, shell);
  return ReportNoJob(
      shell,
      Status(line.status().code(), line.status().message() + " See 'spillway " +
                                       std::string(found.command->name) + " --help'."),
      PromisesSummary(*found.command, words));
}

}  // namespace

int RunSpillway(const std::vector<std::string>& words, const Shell& shell) {
  try {
    const int exit_code = RunGuarded(words, shell);
    shell.out.flush();
    // A result that nobody received is no success: a full disk or a closed file behind stdout.
    if (!shell.out && exit_code == kExitDone)
      return ReportError(shell, kExitDisk,
                         "stdout cannot be written; what was printed there is incomplete.");
    return exit_code;
  } catch (const std::exception& error) {
    return ReportError(shell, kExitInternal,
                       std::string("a bug in Spillway: ") + error.what() +
                           ". Please report it with the command line.");
  }
}

}  // namespace spillway
