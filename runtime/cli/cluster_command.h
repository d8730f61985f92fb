// `spillway cluster status`: the coordinator and its workers.
#pragma once

#include "runtime/cli/command_line.h"
#include "runtime/cli/shell.h"

namespace spillway {

/// Returns the process's exit code.
int ClusterStatusCommand(const CommandLine& line, const Shell& shell);

}  // namespace spillway
