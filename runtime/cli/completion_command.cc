#include "runtime/cli/completion_command.h"

#include <ostream>

#include "mapreduce/base/units.h"
#include "runtime/cli/completion_script.h"
#include "runtime/cli/exit_code.h"
#include "runtime/cli/job_catalog.h"

namespace spillway {

int CompletionCommand(const CommandLine& line, const Shell& shell) {
  const std::string name = line.operands.empty() ? "" : line.operands[0];
  if (name == "bash") {
    shell.out << BashCompletion();
  } else if (name == "zsh") {
    shell.out << ZshCompletion();
  } else if (name == "fish") {
    shell.out << FishCompletion();
  } else if (name == "jobs") {  // The scripts ask.
    for (const BuiltinJob& job : ListBuiltinJobs(shell.plugin_dir)) shell.out << job.name << "\n";
  } else {
    return ReportError(shell, kExitUsage,
                       name.empty() ? "for which shell? Write spillway completion bash|zsh|fish."
                                    : "there is no completion for '" + EscapeForLog(name) +
                                          "'. There is one for bash, zsh and fish.");
  }
  return kExitDone;
}

}  // namespace spillway
