// `spillway run DIR` and `spillway submit DIR`: a project is built, then its job runs as any other.
#pragma once

#include "runtime/cli/command_line.h"
#include "runtime/cli/shell.h"

namespace spillway {

/// Whether the JOB of a `run` or `submit` is a directory, and no built-in job of that name.
bool NamesProject(const CommandLine& line, const Shell& shell);

/// Builds the project in `directory`; its plugin. InvalidArgument where it has several.
Result<std::string> BuildOnePlugin(const std::string& directory, const std::string& prefix);

/// Builds the project and names its plugin as the JOB of `line`. Without -i it reads DIR/data;
/// without -o it writes DIR/out, and replaces what a former run left there. Returns kExitDone, or
/// the exit code of what was reported.
int ResolveProject(const Shell& shell, CommandLine* line);

}  // namespace spillway
