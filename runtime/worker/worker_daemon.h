// WorkerDaemon: the worker's machine with its sockets, its processes and its disks: what `spillway
// worker` runs. It holds the connection to the coordinator, serves segments to other workers, owns
// the scratch directories, and has one executor process for each job. Open and Run on one thread;
// Drain and Leave from any, a signal handler included.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "mapreduce/base/status.h"
#include "runtime/transport/socket.h"
#include "runtime/worker/worker_options.h"

namespace spillway {

/// What the options of the command do not say.
struct WorkerSetup {
  WorkerOptions options;
  bool small_jobs_only = false;            ///< Inside the coordinator's process.
  bool secure_fetch = false;               ///< The cluster has keys; this worker needs none.
  std::uint32_t protocol_version_max = 0;  ///< Not 0: be an older worker.
  std::function<void(const std::string& line)> log;  ///< Called on Run's thread.
};

class WorkerDaemon {
 public:
  /// Makes the scratch directories, after removing what dead workers left there, and binds the
  /// sockets. `context` outlives the daemon.
  static Result<std::unique_ptr<WorkerDaemon>> Open(TransportContext& context,
                                                    const WorkerSetup& setup);
  /// Ends the executors and removes the scratch directories.
  ~WorkerDaemon();

  /// Until it has left. PermissionDenied or InvalidArgument: the coordinator refused this worker.
  Status Run();

  /// Takes no more tasks, and leaves when nothing needs what is here.
  void Drain();
  /// Leaves now.
  void Leave();

 private:
  class Loop;
  explicit WorkerDaemon(std::unique_ptr<Loop> loop);
  std::unique_ptr<Loop> loop_;
};

}  // namespace spillway
