// TaskContext: what a mapper or reducer may ask of the task it runs in. Given to Setup; valid
// until the task ends. One task, one thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "mapreduce/abi.h"
#include "mapreduce/base/status.h"
#include "mapreduce/counters.h"

namespace spillway {

/// The job's own arguments: what stands behind `--` on the command line. Views live as long as
/// the job.
class Args {
 public:
  Args(const char* const* args, std::size_t count) : args_(args), count_(count) {}

  std::size_t size() const { return count_; }
  std::string_view operator[](std::size_t i) const { return args_[i]; }

  /// The value of `--name=value`; "" for a bare `--name`; nothing when it was not given.
  std::optional<std::string_view> Option(std::string_view name) const {
    for (std::size_t i = 0; i < count_; ++i) {
      std::string_view arg = args_[i];
      if (!arg.starts_with("--")) continue;
      arg.remove_prefix(2);
      if (!arg.starts_with(name)) continue;
      arg.remove_prefix(name.size());
      if (arg.empty()) return std::string_view("");
      if (arg[0] == '=') return arg.substr(1);
    }
    return std::nullopt;
  }

 private:
  const char* const* args_;
  std::size_t count_;
};

class TaskContext {
 public:
  explicit TaskContext(spillway_task* task) : task_(task) {}

  Args args() const { return Args(task_->args, task_->arg_count); }
  std::string_view job_name() const { return task_->job_name; }

  /// The map task, or the partition of a reduce task.
  std::uint32_t task_index() const { return task_->task_index; }
  std::uint32_t attempt() const { return task_->attempt; }
  std::uint32_t partition_count() const { return task_->partition_count; }

  /// A counter of the job's summary, found by group and name.
  Counter counter(const char* group, const char* name) {
    return Counter(task_->counter(task_->host, group, name));
  }

  /// A line for progress displays and for the message of a task that times out. Also tells that
  /// the task is alive.
  void set_status(std::string_view text) {
    task_->set_status(task_->host, text.data(), text.size());
  }

  /// Local path of a side file that was given as `--file NAME=PATH`; NotFound otherwise.
  Result<std::string> side_file(const char* name) const {
    const char* path = task_->side_file(task_->host, name);
    if (path == nullptr)
      return NotFound(std::string("no side file '") + name + "': pass --file " + name + "=PATH");
    return std::string(path);
  }

  /// Path of the input file with this index (see Line::file_index, Chunk::file_index).
  std::string_view input_path(std::uint32_t file_index) const {
    const char* path = task_->input_path(task_->host, file_index);
    return path == nullptr ? std::string_view() : std::string_view(path);
  }

  /// For classes of this library.
  spillway_task* abi() const { return task_; }

 private:
  spillway_task* task_;
};

}  // namespace spillway
