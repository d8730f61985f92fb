#include "runtime/worker/job_runtime.h"

#include <sys/resource.h>

#include <algorithm>

namespace spillway {

namespace {

std::uint64_t SpareBytes(const MemoryPlan& plan) { return plan.segment_bytes / 4; }

std::uint64_t ReaderBytes(const MemoryPlan& plan) {
  return plan.input_buffer_bytes + plan.decoder_bytes;
}

}  // namespace

std::uint64_t SegmentBudgetBytes(const MemoryPlan& plan) {
  return plan.segment_bytes - SpareBytes(plan);
}

namespace {

/// A loop has no segments: its batches are given their share.
std::uint64_t BatchBytes(bool is_loop, const MemoryPlan& plan) {
  return is_loop ? SegmentBudgetBytes(plan) : 0;
}

/// Segments and sockets want descriptors, too.
std::uint32_t OpenDirectoriesMax(std::uint32_t threads) {
  constexpr rlim_t kMost = 64;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1;
  const rlim_t each = limit.rlim_cur / 4 / std::max(1u, threads);
  return static_cast<std::uint32_t>(std::clamp<rlim_t>(each, 1, kMost));
}

}  // namespace

JobRuntime::JobRuntime(const wire::StartJob& start, const PluginJob& plugin, const MemoryPlan& plan,
                       FileSystem& file_system, SegmentStore& store)
    : job(start.job()),
      maps(start.maps()),
      staging_dir(start.staging_dir()),
      durable(start.spec().durable()),
      planned_map_only(start.spec().map_only()),
      planned_directories(start.spec().writes_directories()),
      open_directories_max(OpenDirectoriesMax(plan.threads)),
      loop(start.spec().has_loop() ? std::optional(start.spec().loop()) : std::nullopt),
      memory(plan),
      files(file_system),
      segments(store),
      task_budget(plan.threads * plan.task_bytes + BatchBytes(is_loop(), plan)),
      spare_budget(SpareBytes(plan) + plan.threads * ReaderBytes(plan)),
      checkpoints(files, staging_dir, durable),
      task_bytes_(plan.task_bytes) {
  // Batches get the rest, and go to the disk where there is none.
  task_budget.ReserveForced(start.spec().loop().state_bytes());
  context.plugin = &plugin;
  context.job = start.segment_job();
  context.partitions = start.spec().parts();
  const spillway_chain* const chain = plugin.chain();
  context.writes_result = chain == nullptr || start.spec().stage() + 1 >= chain->stage_count;
  for (const wire::PinnedFile& file : start.spec().side_files())
    context.side_files[file.name()] = file.path();
  context.range_cuts.assign(start.spec().range_cuts().begin(), start.spec().range_cuts().end());
  writer.compression = static_cast<Compression>(start.spec().compression());
}

void JobRuntime::Replan(const MemoryPlan& plan, std::uint32_t processes) {
  const bool alone = processes <= 1;
  // The threads are there, whether the new plan has as many or not.
  const std::uint64_t task_bytes =
      std::max(kTaskBytesMin, plan.threads * plan.task_bytes / memory.threads);
  task_bytes_.store(task_bytes, std::memory_order_relaxed);
  task_budget.Resize(memory.threads * task_bytes + BatchBytes(is_loop(), plan), alone);
  spare_budget.Resize(SpareBytes(plan) + memory.threads * ReaderBytes(memory), alone);
}

Status JobRuntime::TakeInputNames(const wire::StartJob& start) {
  wire::InputNames names = start.inputs();
  if (!start.inputs_path().empty()) {
    SPILLWAY_ASSIGN_OR_RETURN(const auto file, files.Open(start.inputs_path()));
    std::string bytes(start.inputs_bytes(), '\0');
    SPILLWAY_ASSIGN_OR_RETURN(const auto got, file->ReadAt(0, bytes.size(), bytes.data()));
    if (got != bytes.size() || !names.ParseFromString(bytes))
      return DataLoss("the copy of the input names '" + start.inputs_path() + "' is damaged");
  }
  context.input_names.assign(names.names().begin(), names.names().end());
  return OkStatus();
}

Status JobRuntime::Check() const {
  if (is_loop() && context.abi().loop == nullptr)
    return InvalidArgument(
        "the job was planned as an iterative one and the plugin is none: its file was replaced; "
        "submit the job again");
  if (planned_map_only != map_only())
    return InvalidArgument(
        "the job was planned as a map-only one and the plugin disagrees, or the other way round: "
        "its file was replaced; submit the job again");
  if (planned_directories != (context.abi().writes_directories != 0))
    return InvalidArgument(
        "the job was planned to write to directories and the plugin disagrees, or the other way "
        "round: its file was replaced; submit the job again");
  const bool ranges = context.abi().partition_kind == SPILLWAY_PARTITION_RANGE;
  if (!context.range_cuts.empty() && (!ranges || context.range_cuts.size() >= context.partitions))
    return InvalidArgument("the job's range cuts do not suit its " +
                           std::to_string(context.partitions) + " partitions");
  if (context.partitions == 0) return InvalidArgument("a job without parts");
  return OkStatus();
}

}  // namespace spillway
