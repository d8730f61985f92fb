// PreparedJob: a request that was checked and planned: the plugin's job, the input files, the map
// inputs, the memory, and the plan as a user is shown it. Preparing writes nothing. Move-only.
#pragma once

#include <memory>
#include <vector>

#include "mapreduce/base/file_system.h"
#include "runtime/core/memory_plan.h"
#include "runtime/core/split_planner.h"
#include "runtime/local/job_runner.h"
#include "runtime/storage/input_files.h"
#include "runtime/task/block_reader.h"
#include "runtime/task/plugin_library.h"

namespace spillway {

struct PreparedJob {
  JobRequest request;
  std::unique_ptr<PluginJob> plugin;
  std::vector<FoundFile> inputs;
  std::vector<MapInput> maps;
  std::uint64_t map_bytes_max = 0;  ///< Of a map input, before those of a fold were joined.
  std::uint32_t parts = 0;          ///< Reduce tasks, or map tasks of a map-only job.
  MemoryPlan memory;
  std::vector<std::string> spill_dirs;
  JobPlan plan;

  bool is_loop() const { return plugin->abi().loop != nullptr; }
  bool map_only() const { return plugin->abi().map_only != 0; }
  /// What a map task reads, with the files as they were when they were listed.
  std::vector<SplitRange> RangesOf(std::uint32_t map_task) const;
};

/// Errors as PrepareLocalRunner.
Result<PreparedJob> PrepareJob(FileSystem& files, const JobRequest& request);

}  // namespace spillway
