// `spillway run` and `spillway submit`: settings, request, plan, the job itself, its report.
#pragma once

#include "runtime/cli/command_line.h"
#include "runtime/cli/shell.h"

namespace spillway {

/// Both return the process's exit code.
int RunJobCommand(const CommandLine& line, const Shell& shell);
int SubmitJobCommand(const CommandLine& line, const Shell& shell);

}  // namespace spillway
