// `spillway completion SHELL`: the script that completes command lines.
#pragma once

#include "runtime/cli/command_line.h"
#include "runtime/cli/shell.h"

namespace spillway {

/// Returns the exit code.
int CompletionCommand(const CommandLine& line, const Shell& shell);

}  // namespace spillway
