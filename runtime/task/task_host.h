// TaskHost: the host's side of a spillway_task, given to the plugin. It hands what the plugin
// emits to the collector, feeds it groups, writes its output, and keeps the first failure. One
// attempt, one thread.
#pragma once

#include <functional>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "mapreduce/abi.h"
#include "mapreduce/base/status.h"
#include "runtime/task/block_reader.h"
#include "runtime/task/crash_report.h"
#include "runtime/task/job_context.h"
#include "shuffle/record/group_stream.h"

namespace spillway {

struct TaskIdentity {
  const char* kind = "map";  ///< "map", "combine" or "reduce", for messages.
  std::uint32_t index = 0;
  std::uint32_t attempt = 0;
};

class TaskHost {
 public:
  using Collect = std::function<Status(std::span<const Record>)>;
  using Write = std::function<Status(std::string_view)>;
  using WriteTo = std::function<Status(std::string_view, std::string_view, std::uint64_t)>;

  TaskHost(const JobContext& job, const TaskIdentity& identity, AttemptControl& control);
  TaskHost(const TaskHost&) = delete;
  TaskHost& operator=(const TaskHost&) = delete;

  /// Where the plugin's calls go; what is not set fails the task when it is called.
  void set_collect(Collect collect) { collect_ = std::move(collect); }
  void set_write(Write write) { write_ = std::move(write); }
  void set_write_to(WriteTo write_to) { write_to_ = std::move(write_to); }
  void set_groups(GroupStream* groups) { groups_ = groups; }

  /// Where input_path looks for what the job does not name; outlives the host.
  void set_ranges(const std::vector<SplitRange>* ranges) { ranges_ = ranges; }

  spillway_task* task() { return task_; }

  /// Runs one of the plugin's functions under the crash reporter; its answer and what it reported
  /// become a Status that names the task.
  template <class Call>
  Status Run(const spillway_block* block, Call&& call) {
    const spillway_block* const outer = std::exchange(scene_.block, block);
    if (block != nullptr && slot_ != nullptr) slot_->ShowBlock(*block);
    int answer;
    {
      CrashScope scope(&scene_);
      answer = call();
    }
    scene_.block = outer;
    if (block != nullptr && slot_ != nullptr) slot_->HideBlock();
    return Outcome(answer);
  }

  CounterValues counters() const;
  /// Adds what a nested task (a combiner's) counted.
  void AddCounters(const CounterValues& more);
  bool cancelled() const { return control_.cancelled(); }

 private:
  static TaskHost& Self(void* host) { return *static_cast<TaskHost*>(host); }
  Status Outcome(int answer);
  int Keep(Status status);
  int NextGroups(spillway_groups* out);
  const char* InputPath(std::uint32_t file_index) const;

  const JobContext& job_;
  const TaskIdentity identity_;
  AttemptControl& control_;
  BoardSlot* const slot_;  ///< Null: no board, or a nested task.
  spillway_task own_task_{};
  spillway_task* const task_;  ///< Lies in the slot, where there is one.
  CrashScene scene_;
  Collect collect_;
  Write write_;
  WriteTo write_to_;
  GroupStream* groups_ = nullptr;
  const std::vector<SplitRange>* ranges_ = nullptr;
  Status failure_;
  std::map<std::pair<std::string, std::string>, std::uint64_t> counters_;
};

}  // namespace spillway
