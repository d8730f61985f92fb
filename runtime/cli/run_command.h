// `spillway run` and `spillway submit`: settings, request, plan, the job itself, its report.
#pragma once

#include "runtime/cli/command_line.h"
#include "runtime/cli/shell.h"

namespace spillway {

/// Both return the process's exit code.
int RunJobCommand(const CommandLine& line, const Shell& shell);
int SubmitJobCommand(const CommandLine& line, const Shell& shell);

/// Says on stderr why no job is run, and with `json` by the object that ends stdout. Returns the
/// exit code of `status`.
int ReportNoJob(const Shell& shell, const Status& status, bool json);

}  // namespace spillway
