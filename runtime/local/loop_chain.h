// LoopChain: an iterative job in disk mode, as a chain of ordinary jobs. Each round reads the whole
// input, and hands its state to the next one in a file (docs/formats/loop.md). The rounds' outputs
// lie in a directory beside the job's output, whose place the last one takes. Run blocks; Cancel
// and progress() may be called from any thread, Cancel from a signal handler too.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "runtime/local/job_runner.h"
#include "runtime/local/prepared_job.h"
#include "runtime/storage/posix_file_system.h"
#include "runtime/storage/work_directory.h"

namespace spillway {

class LoopChain : public JobRunner {
 public:
  /// Prepares the ordinary job of one round.
  using RoundFactory = std::function<Result<std::unique_ptr<JobRunner>>(const JobRequest& request)>;

  /// `job` is the loop as it was checked and planned.
  LoopChain(PreparedJob job, RoundFactory prepare);
  ~LoopChain() override;

  const JobPlan& plan() const override { return job_.plan; }
  JobReport Run() override;
  void Cancel() override;
  JobProgress progress() const override;

 private:
  Status RunRounds(JobReport& total);
  Status WriteFirstFile(const std::string& path);
  Status RunRound(std::uint32_t round, const std::string& file, JobReport& total);
  Status Publish(const std::string& round_dir);
  std::string RoundDirectory(std::uint32_t round) const;

  const PreparedJob job_;
  const RoundFactory prepare_;
  const std::uint32_t rounds_max_;
  const std::string output_;  ///< Without trailing slashes.
  PosixFileSystem files_;
  std::unique_ptr<WorkDirectory> rounds_;  ///< Null before the rounds begin.
  std::atomic<bool> cancel_{false};
  /// The round that runs. The one before it is kept as well, for a Cancel that has just read this.
  std::atomic<JobRunner*> current_{nullptr};
  static_assert(std::atomic<JobRunner*>::is_always_lock_free, "signal handlers call Cancel");
  std::unique_ptr<JobRunner> running_, before_;
  std::atomic<std::uint32_t> round_{0};
};

}  // namespace spillway
