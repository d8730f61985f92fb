#include "runtime/local/local_runner.h"

#include <atomic>

#include "runtime/local/local_job.h"
#include "runtime/local/loop_chain.h"
#include "runtime/local/prepared_job.h"
#include "runtime/storage/machine.h"
#include "runtime/storage/posix_file_system.h"
#include "runtime/task/crash_report.h"
#include "runtime/worker/job_runtime.h"

namespace spillway {

namespace {

constexpr int kCrashExitCode = 1;  // "The job failed", as for any other failure of user code.

/// What malloc may keep of freed memory is a tenth of this.
constexpr std::uint64_t kSmallBudgetBytes = 640 << 20;

class LocalRunner : public JobRunner {
 public:
  explicit LocalRunner(PreparedJob job)
      : prepared_(std::make_shared<const PreparedJob>(std::move(job))), job_(prepared_, cancel_) {}

  const JobPlan& plan() const override { return prepared_->plan; }
  JobReport Run() override {
    InstallCrashReports(kCrashExitCode);
    if (prepared_->request.linked_plugin == nullptr)
      RegisterPluginCode(reinterpret_cast<const void*>(prepared_->plugin->abi().mapper_create),
                         prepared_->request.plugin_path.c_str());
    if (prepared_->plan.memory_bytes < kSmallBudgetBytes) KeepLittleFreedMemory();
    return job_.Run();
  }
  void Cancel() override { cancel_.store(true, std::memory_order_relaxed); }
  JobProgress progress() const override { return job_.progress(); }

 private:
  const std::shared_ptr<const PreparedJob> prepared_;
  std::atomic<bool> cancel_{false};
  static_assert(std::atomic<bool>::is_always_lock_free, "Cancel is called from signal handlers");
  LocalJob job_;
};

/// One round of a chain: a loop's job without the loop.
Result<std::unique_ptr<JobRunner>> PrepareRound(const JobRequest& request) {
  PosixFileSystem files;
  SPILLWAY_ASSIGN_OR_RETURN(PreparedJob job, PrepareJob(files, request));
  return std::unique_ptr<JobRunner>(std::make_unique<LocalRunner>(std::move(job)));
}

}  // namespace

Result<std::unique_ptr<JobRunner>> PrepareLocalRunner(const JobRequest& request) {
  PosixFileSystem files;
  SPILLWAY_ASSIGN_OR_RETURN(PreparedJob job, PrepareJob(files, request));
  if (job.is_loop() && request.loop.mode == LoopRequest::Mode::kDisk)
    return std::unique_ptr<JobRunner>(std::make_unique<LoopChain>(std::move(job), &PrepareRound));
  if (job.is_loop()) {
    SPILLWAY_RETURN_IF_ERROR(CheckStates(
        job, job.plan.threads * job.plan.task_memory_bytes + SegmentBudgetBytes(job.memory),
        "the budget"));
    SeatLoop(job, job.plan.threads);
  }
  return std::unique_ptr<JobRunner>(std::make_unique<LocalRunner>(std::move(job)));
}

namespace {

/// __VERSION__ as the plugin has it: clang's begins with its name, g++'s is the number alone.
std::string CompilerText(std::string version) {
  const bool is_number = !version.empty() && version[0] >= '0' && version[0] <= '9';
  return is_number ? "g++ " + version : version;
}

}  // namespace

Result<PluginDescription> InspectPlugin(const std::string& path) {
  SPILLWAY_ASSIGN_OR_RETURN(const auto library, PluginLibrary::Load(path));
  const spillway_plugin& plugin = library->plugin();
  return PluginDescription{path,
                           plugin.name,
                           plugin.summary,
                           plugin.usage,
                           plugin.sdk_version,
                           CompilerText(plugin.compiler),
                           plugin.abi_version};
}

}  // namespace spillway
