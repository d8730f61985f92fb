// CoordinatorProcess: `spillway coordinator`: the coordinator, the worker for small jobs that may
// live in the same process, signals and the log.
#pragma once

#include "mapreduce/base/status.h"
#include "runtime/coordinator/coordinator_options.h"

namespace spillway {

/// Runs until SIGTERM or SIGINT. The status says why it could not begin or go on.
Status RunCoordinatorProcess(const CoordinatorOptions& options);

}  // namespace spillway
