#include "runtime/client/remote_runner.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>
#include <utility>

#include "runtime/client/job_submission.h"
#include "runtime/client/job_wait.h"
#include "runtime/local/job_report.h"
#include "runtime/local/loop_chain.h"
#include "runtime/local/range_choice.h"
#include "runtime/storage/posix_file_system.h"
#include "runtime/task/crash_report.h"

namespace spillway {

namespace {

constexpr std::uint64_t kProgressMs = 500;     ///< Between two answers about a job that runs.
constexpr std::uint64_t kKillWaitMs = 10'000;  ///< For a killed job's end.
constexpr int kCrashExitCode = 1;              // "The job failed", as for the embedded runner.

class Remote final : public RemoteRunner {
 public:
  Remote(PreparedJob job, RemoteOptions options)
      : job_(std::move(job)), options_(std::move(options)) {
    if (options_.submission.key.empty()) {
      // A repetition of a lost submit must find the job that it made.
      own_key_ = true;
      options_.submission.key = NewSubmissionKey();
    }
    // The sizes of this machine say nothing about the workers'.
    job_.plan.coordinator = options_.coordinator;
    job_.plan.threads = 0;
    job_.plan.memory_bytes = job_.plan.task_memory_bytes = job_.plan.segment_memory_bytes = 0;
    job_.plan.scratch.clear();
    progress_.maps_total = static_cast<std::uint32_t>(job_.maps.size());
    progress_.reduces_total = job_.map_only() ? 0 : job_.parts;
    progress_.input_bytes_total = job_.plan.input_bytes;
  }

  const JobPlan& plan() const override { return job_.plan; }
  Result<AcceptedJob> Submit() override;
  JobReport Run() override;
  void Cancel() override { cancel_.store(true, std::memory_order_relaxed); }
  JobProgress progress() const override {
    const std::lock_guard lock(mutex_);
    return progress_;
  }

 private:
  Result<wire::JobSpec> MakeSpec();
  Status Connect();
  Status TakeSeats();
  Result<wire::JobState> Wait();
  Result<wire::JobState> Kill();
  JobReport Unfinished(const Status& status) const;

  /// Empty: the coordinator answers again.
  void Note(const std::string& text) {
    const std::lock_guard lock(mutex_);
    progress_.note = text.empty() ? accepted_note_ : text;
  }
  void Show(const wire::JobState& state) {
    const std::lock_guard lock(mutex_);
    progress_ = ProgressOf(state);
    if (job_.is_loop()) progress_.rounds_max = job_.loop_rounds_max();
    progress_.note = accepted_note_;
  }

  PreparedJob job_;
  RemoteOptions options_;
  bool own_key_ = false;
  std::unique_ptr<CoordinatorCalls> calls_;
  std::optional<AcceptedJob> accepted_;
  std::atomic<bool> cancel_{false};
  static_assert(std::atomic<bool>::is_always_lock_free, "Cancel is called from signal handlers");

  mutable std::mutex mutex_;
  JobProgress progress_;       // Guarded by mutex_.
  std::string accepted_note_;  // Guarded by mutex_.
};

Result<wire::JobSpec> Remote::MakeSpec() {
  // Sampling runs the mapper here; a crash in it is reported as in the embedded runner.
  InstallCrashReports(kCrashExitCode);
  RegisterPluginCode(reinterpret_cast<const void*>(job_.plugin->abi().mapper_create),
                     job_.request.plugin_path.c_str());
  PosixFileSystem files;
  MemoryBudget spare(job_.memory.segment_bytes + job_.memory.input_buffer_bytes);
  SPILLWAY_ASSIGN_OR_RETURN(auto cuts, ChooseRangeCuts(job_, files, spare, cancel_));
  return MakeJobSpec(job_, std::move(cuts), options_.submission);
}

Status Remote::Connect() {
  if (calls_ != nullptr) return OkStatus();
  SPILLWAY_ASSIGN_OR_RETURN(calls_,
                            options_.connect([this](const std::string& text) { Note(text); }));
  return OkStatus();
}

/// A loop in memory mode has a seat for each slot that the cluster has now.
Status Remote::TakeSeats() {
  SPILLWAY_RETURN_IF_ERROR(Connect());
  wire::Request request;
  request.mutable_cluster();
  SPILLWAY_ASSIGN_OR_RETURN(
      const wire::Reply reply,
      calls_->Call(std::move(request),
                   {.give_up_ms = options_.connect_timeout_ms, .cancelled = &cancel_}));
  std::uint32_t slots = 0;
  for (const wire::WorkerState& worker : reply.cluster().workers()) {
    if (worker.draining()) continue;
    slots += worker.slots();
    // Batches and buffers want theirs too; who has not said yet has as much as it needs.
    if (worker.memory_bytes() > 0)
      SPILLWAY_RETURN_IF_ERROR(
          CheckStates(job_, worker.memory_bytes() / 2, "half of worker " + worker.name() + "'s"));
  }
  SeatLoop(job_, std::max(1u, slots));
  return OkStatus();
}

Result<AcceptedJob> Remote::Submit() {
  if (accepted_.has_value()) return *accepted_;
  if (job_.takes_seats() && !job_.in_seats()) SPILLWAY_RETURN_IF_ERROR(TakeSeats());
  SPILLWAY_ASSIGN_OR_RETURN(const wire::JobSpec spec, MakeSpec());
  SPILLWAY_RETURN_IF_ERROR(Connect());
  SPILLWAY_ASSIGN_OR_RETURN(
      const wire::Submitted submitted,
      UploadJob(*calls_, spec, {.give_up_ms = options_.connect_timeout_ms, .cancelled = &cancel_}));
  accepted_ = AcceptedJob{submitted.job_id(), submitted.reattached() && !own_key_};
  {
    const std::lock_guard lock(mutex_);
    accepted_note_ = "job " + accepted_->job_id + " runs on " + options_.coordinator + ".";
  }
  Note("");
  return *accepted_;
}

Result<wire::JobState> Remote::Wait() {
  return WaitForJob(*calls_, accepted_->job_id, kProgressMs,
                    {.give_up_ms = 0, .cancelled = &cancel_},
                    [this](const wire::JobState& state) { Show(state); });
}

Result<wire::JobState> Remote::Kill() {
  wire::Request request;
  request.mutable_kill()->set_job_id(accepted_->job_id);
  request.mutable_kill()->set_reason("interrupted");
  const CallOptions bounded = {.give_up_ms = kKillWaitMs};
  const auto killed = calls_->Call(std::move(request), bounded);
  if (!killed.ok()) return killed.status();
  return WaitForJob(*calls_, accepted_->job_id, kProgressMs, bounded,
                    [this](const wire::JobState& state) { Show(state); });
}

JobReport Remote::Unfinished(const Status& status) const {
  JobReport report;
  report.status = status;
  report.job_name = job_.plan.job_name;
  report.output_dir = job_.request.output_dir;
  if (accepted_.has_value()) report.job_id = accepted_->job_id;
  return report;
}

JobReport Remote::Run() {
  const auto accepted = Submit();
  if (!accepted.ok()) {
    if (accepted.status().code() != Code::kCancelled) return Unfinished(accepted.status());
    return Unfinished(
        Cancelled("interrupted before the coordinator had accepted the job; should it have it all "
                  "the same, 'spillway jobs list' shows it"));
  }
  auto state = Wait();
  if (state.status().code() == Code::kCancelled && !options_.kill_on_cancel)
    return Unfinished(Cancelled("no longer waiting; job " + accepted->job_id +
                                " goes on. 'spillway jobs wait " + accepted->job_id +
                                "' waits again"));
  if (state.status().code() == Code::kCancelled) {
    state = Kill();
    if (!state.ok())
      return Unfinished(
          Cancelled("interrupted, but the job may go on: " + state.status().message() +
                    " Then 'spillway jobs kill " + accepted->job_id + "' stops it"));
  }
  if (!state.ok()) return Unfinished(state.status().Annotate("job " + accepted->job_id));
  return ReportOf(*state);
}

/// A loop in disk mode: this process submits one round after the other.
class RemoteChain final : public RemoteRunner {
 public:
  RemoteChain(PreparedJob job, const RemoteOptions& options)
      : chain_(std::move(job),
               [options](const JobRequest& request) { return PrepareRound(request, options); }) {}

  const JobPlan& plan() const override { return chain_.plan(); }
  Result<AcceptedJob> Submit() override {
    return InvalidArgument(
        "a loop in disk mode is submitted round after round, by a command that stays: use "
        "'spillway run', or --mode memory");
  }
  JobReport Run() override { return chain_.Run(); }
  void Cancel() override { chain_.Cancel(); }
  JobProgress progress() const override { return chain_.progress(); }

 private:
  static Result<std::unique_ptr<JobRunner>> PrepareRound(const JobRequest& request,
                                                         const RemoteOptions& options) {
    PosixFileSystem files;
    SPILLWAY_ASSIGN_OR_RETURN(PreparedJob job, PrepareJob(files, request));
    job.disk_round = true;
    return std::unique_ptr<JobRunner>(std::make_unique<Remote>(std::move(job), options));
  }

  LoopChain chain_;
};

}  // namespace

Result<std::unique_ptr<RemoteRunner>> RemoteRunner::Prepare(const JobRequest& request,
                                                            RemoteOptions options) {
  PosixFileSystem files;
  // The output may be that of this very job, submitted before under its key and done, whatever has
  // become of it since. Only the coordinator knows; for a new job it finds what is in the way.
  const PlaceCheck check =
      options.submission.key.empty() ? PlaceCheck::kNow : PlaceCheck::kWhenItRuns;
  SPILLWAY_ASSIGN_OR_RETURN(PreparedJob job, PrepareJob(files, request, check));
  if (job.is_loop() && request.loop.mode == LoopRequest::Mode::kDisk) {
    if (!options.submission.key.empty())
      return InvalidArgument("--submission-key names one job, and a loop in disk mode is many");
    return std::unique_ptr<RemoteRunner>(std::make_unique<RemoteChain>(std::move(job), options));
  }
  return std::unique_ptr<RemoteRunner>(
      std::make_unique<Remote>(std::move(job), std::move(options)));
}

}  // namespace spillway
