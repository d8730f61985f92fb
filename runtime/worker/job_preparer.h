// JobPreparer: the thread that prepares and removes the files of jobs, so that a slow disk or a
// coordinator that is away does not hold up the worker's loop. Thread-safe.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "mapreduce/base/file_system.h"
#include "runtime/transport/socket.h"
#include "runtime/worker/executor_process.h"
#include "runtime/worker/job_files.h"
#include "runtime/worker/worker_machine.h"

namespace spillway {

class JobPreparer {
 public:
  struct Prepared {
    WorkerEffects::Preparation what;  ///< Its `start` names the copies.
    Status status;
  };

  /// `wake` is called, from the preparer's thread, when Take has more.
  JobPreparer(FileSystem& files, std::vector<std::string> scratch_dirs, TransportContext& context,
              ClientOptions coordinator, std::function<void()> wake);
  ~JobPreparer();
  JobPreparer(const JobPreparer&) = delete;
  JobPreparer& operator=(const JobPreparer&) = delete;

  void Prepare(WorkerEffects::Preparation what);
  /// `executor`, which may be null, was killed: the kernel takes its time to end one of gigabytes,
  /// and the files go when nobody writes them any more.
  void Remove(std::uint64_t job, std::unique_ptr<ExecutorProcess> executor);
  std::vector<Prepared> Take();

 private:
  struct Removal {
    std::uint64_t job = 0;
    std::unique_ptr<ExecutorProcess> executor;
  };
  void Loop();
  Result<wire::FileBytes> Ask(std::uint64_t job, const std::string& name, std::uint64_t offset);

  FileSystem& files_;
  const std::vector<std::string> scratch_dirs_;
  TransportContext& context_;
  const ClientOptions coordinator_;
  const std::function<void()> wake_;
  std::unique_ptr<ClientSocket> socket_;  // The thread's, like the number below.
  std::uint64_t last_request_ = 0;

  std::mutex mutex_;
  std::condition_variable given_;
  std::deque<std::variant<WorkerEffects::Preparation, Removal>> orders_;  // Guarded, as all below.
  std::vector<Prepared> prepared_;
  std::atomic<bool> ending_{false};
  std::thread thread_;
};

}  // namespace spillway
