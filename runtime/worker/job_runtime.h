// JobRuntime: what all attempts of one job share in one process: the plugin's job, the budgets, and
// where segments and parts go. Immutable but for the budgets; any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "mapreduce/base/file_system.h"
#include "runtime/core/memory_plan.h"
#include "runtime/protocol/spillway.pb.h"
#include "runtime/task/job_context.h"
#include "runtime/task/loop_exchange.h"
#include "shuffle/format/segment_writer.h"
#include "shuffle/store/memory_budget.h"
#include "shuffle/store/segment_store.h"

namespace spillway {

/// What a process's segments may take of its memory: map outputs that stay there, and copies of
/// others'. The rest of MemoryPlan::segment_bytes is kept back for long records: whether a record
/// can be read must not depend on how far the job is, and segments fill all they are given.
std::uint64_t SegmentBudgetBytes(const MemoryPlan& plan);

class JobRuntime {
 public:
  /// `plugin`, `files` and `segments` outlive the runtime. `job` must agree with the plugin:
  /// InvalidArgument is answered by Check.
  JobRuntime(const wire::StartJob& job, const PluginJob& plugin, const MemoryPlan& memory,
             FileSystem& files, SegmentStore& segments);

  /// The names of the job's inputs, from where StartJob says. Before the first task.
  Status TakeInputNames(const wire::StartJob& start);

  /// Whether the plugin's job is the one that was planned.
  Status Check() const;

  bool map_only() const { return loop.has_value() || context.abi().map_only != 0; }
  bool is_loop() const { return loop.has_value(); }

  /// Another plan of the same process. Tasks that run keep what they have; those that begin from
  /// now on get the new plan's share. With more than one of `processes`, what no task uses goes
  /// back to the kernel.
  void Replan(const MemoryPlan& plan, std::uint32_t processes);
  /// Of a task that begins now.
  std::uint64_t task_bytes() const { return task_bytes_.load(std::memory_order_relaxed); }

  const std::uint64_t job;  ///< The number in AttemptIds.
  const std::uint32_t maps;
  const std::string staging_dir;
  const bool durable;
  const bool planned_map_only;
  const bool planned_directories;
  const std::uint32_t open_directories_max;  ///< Of one task; see AttemptOutputOptions.
  /// Of a loop in memory mode, whose map tasks are its seats.
  const std::optional<wire::LoopSpec> loop;
  const MemoryPlan memory;  ///< As first planned: threads and buffers stay as they are.
  JobContext context;
  SegmentWriterOptions writer;
  FileSystem& files;
  SegmentStore& segments;
  MemoryBudget task_budget;
  MemoryBudget spare_budget;  ///< Blocks, and records that are longer than one.
  const LoopCheckpoints checkpoints;
  std::unique_ptr<LoopExchange> exchange;  ///< Of a loop; made by the engine.

 private:
  std::atomic<std::uint64_t> task_bytes_;
};

}  // namespace spillway
