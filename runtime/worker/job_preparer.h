// JobPreparer: the thread that prepares and removes the files of jobs, so that a slow disk or a
// coordinator that is away does not hold up the worker's loop. Thread-safe.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "mapreduce/base/file_system.h"
#include "runtime/transport/socket.h"
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
  void Remove(std::uint64_t job);
  std::vector<Prepared> Take();

 private:
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
  std::deque<std::variant<WorkerEffects::Preparation, std::uint64_t>>
      orders_;  // Guarded, as all below.
  std::vector<Prepared> prepared_;
  std::atomic<bool> ending_{false};
  std::thread thread_;
};

}  // namespace spillway
