// WorkerProcess: `spillway worker`: the worker's daemon, signals and the log.
#pragma once

#include "mapreduce/base/status.h"
#include "runtime/worker/worker_options.h"

namespace spillway {

/// Runs until the worker has left: SIGTERM drains it, a second one or SIGINT makes it leave at
/// once. The status says why it could not begin or go on.
Status RunWorkerProcess(const WorkerOptions& options);

}  // namespace spillway
