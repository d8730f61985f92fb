// `spillway stream`: a job of the built-in plugin `stream`, with commands for its classes.
#pragma once

#include "runtime/cli/command_line.h"
#include "runtime/cli/shell.h"

namespace spillway {

/// Returns the exit code.
int StreamCommand(const CommandLine& line, const Shell& shell);

}  // namespace spillway
