// LoopRound: what Next may ask of the round that has just ended. Valid during the call.
#pragma once

#include <cstdint>

#include "mapreduce/task_context.h"

namespace spillway {

class LoopRound {
 public:
  LoopRound(spillway_task* task, std::uint32_t number) : task_(task), number_(number) {}

  /// From 1 on.
  std::uint32_t number() const { return number_; }
  Args args() const { return Args(task_->args, task_->arg_count); }
  /// See TaskContext::side_file.
  Result<std::string> side_file(const char* name) const {
    return TaskContext(task_).side_file(name);
  }

 private:
  spillway_task* task_;
  std::uint32_t number_;
};

}  // namespace spillway
