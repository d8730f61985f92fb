// `spillway version`: what this build is.
#pragma once

#include "runtime/cli/command_line.h"
#include "runtime/cli/shell.h"

namespace spillway {

/// Returns the process's exit code.
int VersionCommand(const CommandLine& line, const Shell& shell);

}  // namespace spillway
