// `spillway plugin inspect`: what a plugin is, and whether this build can run it.
#pragma once

#include "runtime/cli/command_line.h"
#include "runtime/cli/shell.h"

namespace spillway {

/// Returns the process's exit code.
int InspectPluginCommand(const CommandLine& line, const Shell& shell);

}  // namespace spillway
