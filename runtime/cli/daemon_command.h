// `spillway coordinator` and `spillway worker`: everything about their options that can be said
// before they run. The daemons themselves are functions of the Shell.
#pragma once

#include "runtime/cli/command_line.h"
#include "runtime/cli/shell.h"

namespace spillway {

/// InvalidArgument names all that is missing at once, and what contradicts itself.
Result<CoordinatorOptions> ReadCoordinatorOptions(const CommandLine& line,
                                                  const Settings& settings);
Result<WorkerOptions> ReadWorkerOptions(const CommandLine& line, const Settings& settings,
                                        const Shell& shell);

/// Both return the process's exit code.
int CoordinatorCommand(const CommandLine& line, const Shell& shell);
int WorkerCommand(const CommandLine& line, const Shell& shell);

}  // namespace spillway
