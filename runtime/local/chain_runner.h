// ChainRunner: the JobRunner of a chain: its stages one after the other, each an ordinary job that
// another runner runs, here or on a cluster, or a sequence of such jobs where it is repeated. A
// stage is planned when those before it have ended; what it leaves for others lies in a work
// directory beside the output and is removed when the last of them has read it.
//
// Where rounds can run in either mode, the stages for the other one are left out. In memory mode
// the rounds are one job, a loop. Unless memory mode was asked for, a loop whose states do not fit
// is followed by the stages for disk mode, and a warning. Threads as for JobRunner.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "mapreduce/chain_file.h"
#include "runtime/local/job_runner.h"
#include "runtime/storage/posix_file_system.h"
#include "runtime/storage/work_directory.h"

namespace spillway {

/// Prepares the runner of one stage.
using StageFactory = std::function<Result<std::unique_ptr<JobRunner>>(const JobRequest& request)>;

class ChainRunner : public JobRunner {
 public:
  /// `whole` is a runner prepared for `request`, whose plan has several stages. It is not run.
  ChainRunner(JobRequest request, std::unique_ptr<JobRunner> whole, StageFactory prepare);

  /// Of the first stage: what follows is planned later.
  const JobPlan& plan() const override { return whole_->plan(); }
  /// The report is of all stages: input of the first, output of the last, sums of the others.
  JobReport Run() override;
  void Cancel() override;
  JobProgress progress() const override;

 private:
  using Clock = std::chrono::steady_clock;

  std::uint32_t stages() const { return static_cast<std::uint32_t>(plan().chain.size()); }
  bool IsLeftOut(std::uint32_t stage) const;
  /// Whether a stage that is behind the others so far may yet run.
  bool MayRun(std::uint32_t stage) const;
  /// For people: "stage 2 of 8".
  std::string PlaceOf(std::uint32_t stage) const;
  std::uint32_t RoundsOf(std::uint32_t stage) const;
  JobRequest RequestOf(std::uint32_t stage, const std::string& output_dir) const;
  /// Writes the file that tells the stage where the others' outputs are.
  Status WriteChainFile(const std::string& path);
  Status RunOnce(std::uint32_t stage, const std::string& output_dir, JobReport* report);
  Status RunStage(std::uint32_t stage, JobReport& all);
  Status RunRounds(std::uint32_t stage, JobReport& all);
  Status RunLoop(std::uint32_t stage, JobReport& all);
  Status CheckRound() const;
  Status FindInputs();
  Status RunStages(JobReport& all);
  bool IsReadBehind(std::uint32_t stage, std::uint32_t output) const;
  void RemoveRead(std::uint32_t stage);

  const JobRequest request_;
  std::vector<std::string> inputs_;  ///< Of the chain.
  const std::unique_ptr<JobRunner> whole_;
  const StageFactory prepare_;
  PosixFileSystem files_;
  std::unique_ptr<WorkDirectory> work_;
  ChainFile places_;  ///< Of the outputs that are there.
  std::uint32_t jobs_run_ = 0;
  Clock::time_point began_;
  std::atomic<std::uint32_t> mode_;  ///< spillway_stage_when of the stages to run.
  bool may_change_mode_ = false;
  /// Of the loop to come, as counters "loop: state bytes" and "loop: round bytes" of a stage said:
  /// what a process needs for its states, and what all parts leave in one round.
  std::uint64_t state_bytes_ = 0, round_bytes_ = 0;
  /// The job that runs. The one before it is kept as well, for a Cancel or a look at the progress
  /// that has just read this.
  std::atomic<JobRunner*> running_{nullptr};
  std::unique_ptr<JobRunner> current_, before_;
  std::atomic<std::uint32_t> stage_{0};
  std::atomic<std::uint32_t> round_{0};  ///< Of a stage that is repeated, from 1; 0: it is not.
  std::atomic<bool> cancelled_{false};
};

}  // namespace spillway
