// NamedOutput: results beside the main ones, in a directory of the job's output with a file for
// each task that wrote there:
//
//   class Parse : public Mapper<TextLines, std::string, std::uint64_t> {
//    public:
//     Status Setup(TaskContext& context) {
//       rejected_ = NamedOutput<>(context, "rejected");
//       return OkStatus();
//     }
//     void Map(const Line& line, Emitter& out) {
//       if (line.text.empty()) return rejected_.Write(line.path, line.offset);
//       ...
//
//   out/part-00000 ...            what is emitted
//   out/rejected/map-00000 ...    of map tasks; part-00000 of reduce tasks and map-only jobs
//
// They are committed with the rest of the output: once for each task whatever is retried, and as a
// whole. One task, one thread.
#pragma once

#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <typeinfo>
#include <utility>
#include <vector>

#include "mapreduce/builtin/text_output.h"
#include "mapreduce/output_format.h"
#include "mapreduce/output_path.h"
#include "mapreduce/task_context.h"

namespace spillway {

namespace internal {

/// One named output of a task, behind its handles.
class TaskOutput {
 public:
  TaskOutput(spillway_task* task, std::string_view name) : task_(task), buffer_(task, name) {}
  virtual ~TaskOutput() = default;
  virtual const std::type_info& format_type() const = 0;
  virtual void Finish() = 0;

  std::string_view name() const { return buffer_.directory(); }

 protected:
  spillway_task* const task_;
  OutputBuffer buffer_;
};

template <class Format>
class FormattedOutput final : public TaskOutput {
 public:
  FormattedOutput(TaskContext& context, std::string_view name) : TaskOutput(context.abi(), name) {
    if constexpr (requires { format_.Setup(context); })
      if (const Status ready = format_.Setup(context); !ready.ok())
        throw std::runtime_error(std::string(Format::kName) + ": " + ready.message());
    if constexpr (requires { format_.Begin(buffer_); }) format_.Begin(buffer_);
  }

  template <class Key, class Value>
  void Write(const Key& key, const Value& value) {
    format_.Write(key, value, buffer_);
    buffer_.EndRecord();
    ++task_->records_out;
  }

  const std::type_info& format_type() const override { return typeid(Format); }
  void Finish() override {
    if constexpr (requires { format_.End(buffer_); }) format_.End(buffer_);
    buffer_.Flush();
  }

 private:
  Format format_;
};

/// The named outputs of a task; spillway_task::outputs points here. Made when the first is opened.
class TaskOutputs {
 public:
  static constexpr std::size_t kOutputsMax = 32;  ///< Each has a buffer of 32 KiB.

  static TaskOutputs* Of(spillway_task* task) {
    constexpr std::size_t kNeeded = offsetof(spillway_task, outputs) + sizeof task->outputs;
    return task->struct_bytes < kNeeded ? nullptr : static_cast<TaskOutputs*>(task->outputs);
  }

  template <class Format>
  static FormattedOutput<Format>* Open(TaskContext& context, std::string_view name) {
    if (const std::string why = WhyNoOutputPath(name); !why.empty())
      throw std::invalid_argument("'" + std::string(name) + "' is no name of an output: " + why);
    TaskOutputs* all = Of(context.abi());
    if (all != nullptr)
      for (const auto& known : all->outputs_)
        if (known->name() == name) {
          if (known->format_type() == typeid(Format))
            return static_cast<FormattedOutput<Format>*>(known.get());
          throw std::invalid_argument("output '" + std::string(name) + "' has two formats");
        }
    auto made = std::make_unique<FormattedOutput<Format>>(context, name);
    if (all == nullptr) context.abi()->outputs = all = new TaskOutputs;
    if (all->outputs_.size() == kOutputsMax)
      throw std::length_error("a task has at most " + std::to_string(kOutputsMax) +
                              " named outputs; an output format with a Partition function writes "
                              "to any number of directories");
    all->outputs_.push_back(std::move(made));
    return static_cast<FormattedOutput<Format>*>(all->outputs_.back().get());
  }

 private:
  friend class TaskOutputsScope;
  std::vector<std::unique_ptr<TaskOutput>> outputs_;
};

/// What every adapter has in which user code may open an output: hands the rest on when the task
/// ends well, and frees them however it ends.
class TaskOutputsScope {
 public:
  explicit TaskOutputsScope(spillway_task* task) : task_(task) {}
  ~TaskOutputsScope() {
    if (TaskOutputs* const all = TaskOutputs::Of(task_); all != nullptr) {
      task_->outputs = nullptr;
      delete all;
    }
  }
  TaskOutputsScope(const TaskOutputsScope&) = delete;
  TaskOutputsScope& operator=(const TaskOutputsScope&) = delete;

  void Finish() {
    if (TaskOutputs* const all = TaskOutputs::Of(task_); all != nullptr)
      for (const auto& output : all->outputs_) output->Finish();
  }

 private:
  spillway_task* const task_;
};

}  // namespace internal

/// A handle: copies write to the same place. Valid until the task ends.
template <class Format = TextOutput>
class NamedOutput {
 public:
  NamedOutput() = default;

  /// Throws std::invalid_argument, which fails the task, for a name that leads out of the output or
  /// would be taken for a part, and for one that is open with another format.
  NamedOutput(TaskContext& context, std::string_view name)
      : output_(internal::TaskOutputs::Open<Format>(context, name)) {}

  /// Nothing is there for a task that never writes.
  template <class Key, class Value>
  void Write(const Key& key, const Value& value) {
    if (output_ == nullptr) [[unlikely]]
      throw std::logic_error("a NamedOutput that was not opened in Setup");
    output_->Write(key, value);
  }
  template <class Key>
  void Write(const Key& key) {
    Write(key, Nothing{});
  }

 private:
  internal::FormattedOutput<Format>* output_ = nullptr;
};

}  // namespace spillway
