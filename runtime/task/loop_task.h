// A seat of a loop in memory mode: parses its parts once, keeps them, maps them in every round, and
// writes the loop's result when it is the first seat. Runs a whole attempt on the calling thread.
#pragma once

#include <cstdint>

#include "runtime/task/loop_exchange.h"
#include "runtime/task/map_task.h"

namespace spillway {

struct LoopTaskSpec {
  AttemptId seat;
  /// The range at place i is part seat.task + i * seats of the loop.
  const MapTaskSpec& input;
  std::uint32_t seats = 1;
};

/// Everything outlives the task. The counters have, in the group "loop", how many parts were parsed
/// and how many batches are kept in memory or saved.
MapTaskResult RunLoopTask(const LoopTaskSpec& spec, const MapTaskResources& resources,
                          LoopExchange& exchange);

}  // namespace spillway
