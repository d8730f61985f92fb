// The plugin's partitioner and combiner as the engine's interfaces. One task, one thread.
#pragma once

#include <memory>

#include "runtime/task/job_context.h"
#include "runtime/task/task_host.h"
#include "shuffle/engine/collector.h"

namespace spillway {

/// The partition function that the job asks for: hash, range or the plugin's own. `host` is the
/// task's; it and `job` outlive the result.
std::unique_ptr<PartitionFunction> MakePartitionFunction(const JobContext& job, TaskHost& host);

/// Runs the plugin's combiner over groups, each time in a task of its own. What it counts is added
/// to `parent`.
class PluginCombiner : public CombineFunction {
 public:
  PluginCombiner(const JobContext& job, const TaskIdentity& identity, AttemptControl& control,
                 TaskHost& parent)
      : job_(job), identity_(identity), control_(control), parent_(parent) {}

  Status Combine(GroupStream& groups,
                 const std::function<Status(std::span<const Record>)>& emit) override;

 private:
  const JobContext& job_;
  const TaskIdentity identity_;
  AttemptControl& control_;
  TaskHost& parent_;
};

}  // namespace spillway
