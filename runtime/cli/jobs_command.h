// `spillway jobs list|status|wait|logs|kill`: what a coordinator knows of jobs.
#pragma once

#include "runtime/cli/command_line.h"
#include "runtime/cli/shell.h"

namespace spillway {

/// Returns the process's exit code.
int JobsCommand(const CommandLine& line, const Shell& shell);

}  // namespace spillway
