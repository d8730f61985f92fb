#include "runtime/local/coordinator_process.h"

#include <algorithm>
#include <future>
#include <memory>
#include <thread>
#include <utility>

#include "runtime/coordinator/coordinator.h"
#include "runtime/local/daemon_log.h"
#include "runtime/local/daemon_signals.h"
#include "runtime/transport/authorized_keys.h"
#include "runtime/transport/key_directory.h"
#include "runtime/worker/worker_daemon.h"

namespace spillway {

namespace {

constexpr const char* kInprocEndpoint = "inproc://spillway-coordinator";

/// The worker for small jobs: a thread, and executors as processes of their own like any other's.
class SmallJobsWorker {
 public:
  Status Start(TransportContext& context, const CoordinatorOptions& options, DaemonLog& log) {
    WorkerSetup setup;
    setup.options.coordinator.endpoint = kInprocEndpoint;
    setup.options.name = "coordinator";
    setup.options.host = "coordinator";
    // Where the coordinator listens, others reach this worker, too.
    const bool secure = !options.keys_dir.empty();
    setup.options.fetch_listen = secure && options.listen.starts_with("tcp://")
                                     ? options.listen.substr(0, options.listen.rfind(':')) + ":0"
                                     : "tcp://127.0.0.1:0";
    setup.options.insecure = !secure;
    setup.secure_fetch = secure;
    setup.options.spill_dirs = options.spill_dirs;
    setup.options.slots = options.slots;
    setup.options.memory_bytes = options.memory_bytes;
    setup.small_jobs_only = true;
    setup.log = [&log](const std::string& line) { log.Write("small jobs: " + line); };
    // Executors end with the thread that starts them: all is done on one.
    std::promise<Status> opened;
    std::future<Status> outcome = opened.get_future();
    thread_ = std::thread([this, &context, setup, opened = std::move(opened)]() mutable {
      auto worker = WorkerDaemon::Open(context, setup);
      if (worker.ok()) worker_ = std::move(worker).value();
      opened.set_value(worker.status());
      if (worker_ == nullptr) return;
      (void)worker_->Run();
    });
    return outcome.get();
  }

  ~SmallJobsWorker() {
    if (!thread_.joinable()) return;
    if (worker_ != nullptr) worker_->Leave();
    thread_.join();
  }

 private:
  std::unique_ptr<WorkerDaemon> worker_;  ///< Set before Start returns.
  std::thread thread_;
};

Result<ServerOptions> PublicEndpoint(const CoordinatorOptions& options,
                                     std::shared_ptr<AuthorizedKeys>& authorized) {
  ServerOptions server;
  server.endpoint = options.listen;
  server.insecure = options.insecure;
  if (options.keys_dir.empty()) return server;
  const KeyDirectory keys(options.keys_dir);
  SPILLWAY_ASSIGN_OR_RETURN(server.keys, keys.Load(KeyDirectory::kCoordinator));
  authorized = std::make_shared<AuthorizedKeys>(keys.authorized_path());
  server.authority = [authorized](std::string_view key) { return authorized->Find(key); };
  return server;
}

}  // namespace

Status RunCoordinatorProcess(const CoordinatorOptions& options) {
  DaemonSignals signals;
  SPILLWAY_ASSIGN_OR_RETURN(const auto log, DaemonLog::Open(options.log_path, "coordinator"));
  TransportContext context;
  std::shared_ptr<AuthorizedKeys> authorized;
  CoordinatorSetup setup;
  SPILLWAY_ASSIGN_OR_RETURN(ServerOptions server, PublicEndpoint(options, authorized));
  setup.endpoints.push_back({std::move(server)});
  if (authorized != nullptr)
    setup.endpoints.back().withdrawn = [authorized](std::string_view key, Role role) {
      return authorized->Withdrawn(key, role);
    };
  if (options.slots > 0) {
    CoordinatorEndpoint inside;
    inside.server.endpoint = kInprocEndpoint;
    inside.role_without_keys = Role::kWorker;
    setup.endpoints.push_back(std::move(inside));
  }
  setup.journal_dir = options.journal_dir;
  setup.guarded_dirs.push_back(options.journal_dir);
  if (!options.keys_dir.empty()) setup.guarded_dirs.push_back(options.keys_dir);
  setup.machine.authenticated = !options.keys_dir.empty();
  if (options.lease_ms != 0) {
    setup.machine.scheduler.lease_ms = options.lease_ms;
    setup.machine.heartbeat_ms = std::max<std::uint64_t>(options.lease_ms / 10, 50);
  }
  setup.log = [&](const std::string& line) { log->Write(line); };
  SPILLWAY_ASSIGN_OR_RETURN(const auto coordinator, Coordinator::Open(context, setup));
  log->Write("listening on " + coordinator->endpoint());
  signals.Listen([&](int, int) {
    log->Write("stopping; jobs go on with the next coordinator of this journal");
    coordinator->Stop();
  });
  SmallJobsWorker small_jobs;
  Status status;
  if (options.slots > 0) status = small_jobs.Start(context, options, *log);
  if (status.ok()) status = coordinator->Run();
  signals.Stop();
  return status;
}

}  // namespace spillway
