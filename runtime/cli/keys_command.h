// `spillway keys init|add|list|revoke`: who may take part in a cluster.
#pragma once

#include "runtime/cli/command_line.h"
#include "runtime/cli/shell.h"

namespace spillway {

/// Each returns the process's exit code. Secret keys are written to files and never shown.
int InitKeysCommand(const CommandLine& line, const Shell& shell);
int AddKeyCommand(const CommandLine& line, const Shell& shell);
int ListKeysCommand(const CommandLine& line, const Shell& shell);
int RevokeKeyCommand(const CommandLine& line, const Shell& shell);

}  // namespace spillway
