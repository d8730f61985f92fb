// `spillway doctor`: whether this machine is fit to run jobs, and where its settings come from.
#pragma once

#include "runtime/cli/command_line.h"
#include "runtime/cli/shell.h"

namespace spillway {

/// Returns the exit code: kExitJobFailed when something is bad, kExitConfiguration for a bad value
/// in the environment or a file.
int DoctorCommand(const CommandLine& line, const Shell& shell);

}  // namespace spillway
