#include "runtime/local/worker_process.h"

#include <csignal>

#include "runtime/local/daemon_log.h"
#include "runtime/local/daemon_signals.h"
#include "runtime/transfer/message_memory.h"
#include "runtime/worker/worker_daemon.h"

namespace spillway {

Status RunWorkerProcess(const WorkerOptions& options) {
  KeepMessageMemory();
  DaemonSignals signals;
  SPILLWAY_ASSIGN_OR_RETURN(const auto log, DaemonLog::Open(options.log_path, "worker"));
  TransportContext context;
  WorkerSetup setup;
  setup.options = options;
  setup.protocol_version_max = options.protocol_version_max;
  setup.log = [&](const std::string& line) { log->Write(line); };
  SPILLWAY_ASSIGN_OR_RETURN(const auto worker, WorkerDaemon::Open(context, setup));
  signals.Listen([&](int signal, int count) {
    log->Write(signal == SIGTERM && count == 1 ? "SIGTERM: draining; once more to leave at once"
                                               : "leaving");
    if (signal == SIGTERM && count == 1) {
      worker->Drain();
    } else {
      worker->Leave();
    }
  });
  const Status status = worker->Run();
  signals.Stop();
  return status;
}

}  // namespace spillway
