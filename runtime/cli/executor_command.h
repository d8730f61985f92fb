// `spillway executor`: how a worker starts the process that runs a job's user code. Not for people,
// so it is in no help; its arguments carry no secrets, which come over the worker's socket.
#pragma once

#include <string>
#include <vector>

#include "runtime/cli/shell.h"

namespace spillway {

/// `words` after the command's name. Returns only when they are wrong.
int ExecutorCommand(const std::vector<std::string>& words, const Shell& shell);

}  // namespace spillway
