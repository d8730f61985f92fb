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
  /// Of a map input, before those of a fold were joined; of archives, what they may expand to.
  std::uint64_t map_bytes_max = 0;
  std::uint64_t text_bytes = 0;     ///< Of all input, with archives as far as they may expand.
  std::uint64_t decoder_bytes = 0;  ///< Of the compressed input whose decoding takes most.
  bool seats = false;               ///< See in_seats.
  bool disk_round = false;          ///< One round of a loop, as an ordinary job.
  std::uint32_t loop_parts = 0;     ///< Of a loop; its maps are fewer once they are seats.
  std::uint32_t parts = 0;          ///< Reduce tasks, or map tasks of a map-only job.
  MemoryPlan memory;
  std::vector<std::string> spill_dirs;
  JobPlan plan;

  /// A loop whose maps are to become seats.
  bool takes_seats() const { return is_loop() && !disk_round; }
  bool is_loop() const { return plugin->abi().loop != nullptr; }
  /// The job is one of a loop in memory mode: its maps are seats, and there is no reduce task.
  bool in_seats() const { return seats; }
  std::uint32_t loop_rounds_max() const {
    return request.loop.rounds_max.value_or(plugin->abi().loop->rounds_max);
  }
  bool map_only() const { return in_seats() || plugin->abi().map_only != 0; }
  /// What a map task reads, with the files as they were when they were listed.
  std::vector<SplitRange> RangesOf(std::uint32_t map_task) const;
};

enum class PlaceCheck {
  kNow,
  kWhenItRuns,  ///< What is at the output's place may be the result of this very job.
};

/// Errors as PrepareLocalRunner.
Result<PreparedJob> PrepareJob(FileSystem& files, const JobRequest& request,
                               PlaceCheck check = PlaceCheck::kNow);

/// Makes the job of a loop one in memory mode: `seats` map tasks, or as many as there are parts,
/// which share the parts in turn.
void SeatLoop(PreparedJob& job, std::uint32_t seats);

/// ResourceExhausted when what the loop's states need does not fit `room_bytes`, which are those of
/// `where`.
Status CheckStates(const PreparedJob& job, std::uint64_t room_bytes, const std::string& where);

}  // namespace spillway
