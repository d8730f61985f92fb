// LocalJob: a cluster of one process for one job: the coordinator's machine and a worker's link and
// engine, which talk in frames as they would over a network; only the sockets, the journal and the
// processes between them are missing. Attempts run on the engine's threads, everything else on the
// thread that calls Run.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "runtime/coordinator/coordinator_machine.h"
#include "runtime/coordinator/staged_outputs.h"
#include "runtime/local/job_runner.h"
#include "runtime/local/local_executor.h"
#include "runtime/local/prepared_job.h"
#include "runtime/worker/worker_link.h"

namespace spillway {

class LocalJob {
 public:
  /// `cancel_requested` outlives the job.
  LocalJob(std::shared_ptr<const PreparedJob> job, const std::atomic<bool>& cancel_requested);
  ~LocalJob();

  JobReport Run();

  /// Any thread.
  JobProgress progress() const;

 private:
  Status Prepare();
  void Submit(const wire::JobSpec& spec);
  void Loop();
  /// Carries messages to and fro until nobody has anything more to say.
  void Exchange();
  void ToCoordinator(const wire::Request& request);
  void OnReply(const std::string& frame);
  void CarryOut(const OutputOrder& order);
  void LookAround();
  JobReport Report() const;
  TimeMs Now() const;
  bool ended() const { return state_.ended() || !failure_.ok(); }

  const std::shared_ptr<const PreparedJob> job_;
  const std::atomic<bool>& cancel_requested_;
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  const TimeMs start_unix_ms_;
  PosixFileSystem files_;
  std::shared_ptr<LocalExecutor> executor_;  ///< Shared with what user code leaves behind.
  std::unique_ptr<CoordinatorMachine> coordinator_;
  std::unique_ptr<WorkerLink> link_;
  StagedOutputs outputs_{files_};
  std::optional<OutputOrder> opened_;  ///< The order by which the output was.

  std::string job_id_;
  wire::JobState state_;  ///< As the coordinator last said.
  Status failure_;        ///< The job could not begin, or cannot go on.
  bool cancel_sent_ = false;
  TimeMs last_look_ms_ = 0;

  mutable std::mutex progress_mutex_;
  JobProgress progress_;  // Guarded by progress_mutex_.
};

}  // namespace spillway
