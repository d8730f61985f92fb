// PluginFilter: one phase of a plugin's job from one pipe to another, so that some other system can
// do what is between map and reduce. Map reads the job's input and writes records as lines
// (docs/formats/lines.md), combine and reduce read such lines sorted; reduce, and the map of a job
// without reduce, write the job's output. One thread.
#pragma once

#include <cstdint>
#include <string>

#include "mapreduce/base/status.h"
#include "runtime/task/job_context.h"
#include "shuffle/store/memory_budget.h"

namespace spillway {

enum class FilterPhase { kMap, kCombine, kReduce };

struct FilterOptions {
  FilterPhase phase = FilterPhase::kMap;
  std::uint32_t task_index = 0;
  std::uint32_t attempt = 0;
  std::string input_name = "standard input";  ///< For user code and messages.
  int input_fd = 0;
  int output_fd = 1;
  std::uint64_t memory_bytes = 128 << 20;  ///< The most of it is for a fold's table.
};

struct FilterOutcome {
  Status status;
  CounterValues counters;
};

/// Runs the phase to the end of its input. InvalidArgument for a phase that the job does not have.
FilterOutcome RunPluginFilter(const JobContext& job, const FilterOptions& options);

}  // namespace spillway
