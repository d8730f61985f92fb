// `spillway export`: a plugin's job for the Hadoop or the Spark that somebody has.
#pragma once

#include "runtime/cli/command_line.h"
#include "runtime/cli/shell.h"

namespace spillway {

/// Returns the exit code.
int ExportCommand(const CommandLine& line, const Shell& shell);

}  // namespace spillway
