// `spillway exec-plugin`: one phase of a plugin's job as a filter, for other systems' streaming.
#pragma once

#include "runtime/cli/command_line.h"
#include "runtime/cli/shell.h"

namespace spillway {

/// What the line and the variables by which Hadoop Streaming tells its commands of their task ask
/// for. InvalidArgument where no phase is named, or several.
Result<FilterRequest> ReadFilterRequest(const CommandLine& line, const Shell& shell);

/// Returns the exit code.
int ExecPluginCommand(const CommandLine& line, const Shell& shell);

}  // namespace spillway
