// `spillway new`: a project to begin with.
#pragma once

#include "runtime/cli/command_line.h"
#include "runtime/cli/shell.h"

namespace spillway {

/// Returns the exit code.
int NewProjectCommand(const CommandLine& line, const Shell& shell);

}  // namespace spillway
