#include "runtime/worker/executor_job.h"

#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "runtime/storage/machine.h"
#include "runtime/task/crash_report.h"
#include "runtime/transfer/job_directory.h"

namespace spillway {

namespace {

/// Data messages that are under way take up to this share of what the process keeps in reserve.
constexpr std::uint64_t kWindowShareOfReserve = 2;

MemoryDemand DemandOf(const wire::ExecutorSetup& setup) {
  MemoryDemand demand;
  demand.total_bytes = setup.memory().bytes();
  demand.processes = setup.memory().executors();
  demand.baseline_bytes = SettledResidentBytes();
  demand.threads = setup.slots();
  demand.split_bytes = setup.job().spec().map_bytes_max();
  demand.reducers = setup.job().spec().parts();
  return demand;
}

}  // namespace

Result<std::unique_ptr<ExecutorJob>> ExecutorJob::Create(const wire::ExecutorSetup& setup,
                                                         const Host& host) {
  const wire::JobSpec& spec = setup.job().spec();
  const std::vector<std::string> args(spec.args().begin(), spec.args().end());
  SPILLWAY_ASSIGN_OR_RETURN(auto library, PluginLibrary::Load(spec.plugin().path(), &args));
  SPILLWAY_ASSIGN_OR_RETURN(auto plugin, PluginJob::Configure(library, args, spec.stage()));
  // The library stays loaded for the rest of the process, and so does its path.
  RegisterPluginCode(reinterpret_cast<const void*>(plugin->abi().mapper_create),
                     library->path().c_str());
  const MemoryDemand demand = DemandOf(setup);
  SPILLWAY_ASSIGN_OR_RETURN(const MemoryPlan memory, PlanMemory(demand));
  std::unique_ptr<ExecutorJob> job(new ExecutorJob(demand, memory, std::move(plugin)));
  SPILLWAY_RETURN_IF_ERROR(job->OpenStores(setup));
  job->OpenSource(setup, host.transport);
  SPILLWAY_ASSIGN_OR_RETURN(job->engine_, TaskEngine::Create(setup.job(),
                                                             {.plugin = *job->plugin_,
                                                              .files = job->files_,
                                                              .segments = *job->disk_,
                                                              .source = *job->source_,
                                                              .board = host.board,
                                                              .post = host.post,
                                                              .stuck = host.stuck},
                                                             {.memory = memory}));
  return job;
}

ExecutorJob::ExecutorJob(const MemoryDemand& demand, const MemoryPlan& memory,
                         std::unique_ptr<PluginJob> plugin)
    : demand_(demand),
      memory_(memory),
      plugin_(std::move(plugin)),
      segment_budget_(SegmentBudgetBytes(memory)) {}

Status ExecutorJob::OpenStores(const wire::ExecutorSetup& setup) {
  DiskSegmentStoreOptions options;
  for (const std::string& scratch : setup.scratch_dirs()) {
    const std::string directory = JobDirectory(scratch, setup.job().job());
    const Status made = files_.MakeDirectory(directory, 0700);
    if (!made.ok() && made.code() != Code::kAlreadyExists) return made;
    options.directories.push_back(directory);
  }
  // Other processes read the map outputs, so those never stay in this one's memory.
  disk_ = std::make_unique<DiskSegmentStore>(files_, options);
  copies_ = std::make_unique<HybridSegmentStore>(segment_budget_, *disk_);
  return OkStatus();
}

void ExecutorJob::OpenSource(const wire::ExecutorSetup& setup, TransportContext& transport) {
  SegmentFetcherOptions options;
  options.limits.total_window_bytes =
      std::clamp(memory_.reserve_bytes / kWindowShareOfReserve, options.limits.source_window_bytes,
                 options.limits.total_window_bytes);
  options.keys = {setup.fetch_public_key(), setup.fetch_secret_key()};
  options.job = setup.job().job();
  options.copy_attempt = static_cast<std::uint32_t>(::getpid());
  fetcher_ = std::make_unique<SegmentFetcher>(transport, *copies_, segment_budget_, options);
  fetcher_->SetToken(setup.fetch_token(), setup.fetch_token_expires_unix_ms());
  source_ = std::make_unique<ClusterSegmentSource>(
      files_, *fetcher_,
      ClusterSegmentSourceOptions{
          .host = setup.host(), .worker = setup.worker(), .job = setup.job().job()});
}

void ExecutorJob::Handle(const wire::Message& message) {
  if (message.has_worker_place())
    source_->SetPlace(message.worker_place());
  else if (message.has_memory_share())
    Replan(message.memory_share());
  else
    engine_->Handle(message);
}

void ExecutorJob::Replan(const wire::MemoryShare& share) {
  demand_.total_bytes = share.bytes();
  demand_.processes = share.executors();
  const auto plan = PlanMemory(demand_);
  // A plugin that is large by itself may leave nothing: then tasks take the least there is.
  MemoryPlan least;
  least.threads = memory_.threads;
  least.task_bytes = kTaskBytesMin;
  const MemoryPlan& chosen = plan.ok() ? *plan : least;
  segment_budget_.Resize(SegmentBudgetBytes(chosen), share.executors() <= 1);
  engine_->Replan(chosen, share.executors());
}

}  // namespace spillway
