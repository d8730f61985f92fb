// Vertex, as the functions of a keyed loop (keyed_loop.h) are told of one, and what the stages of
// such a loop share. Values; any thread.
#pragma once

#include <cstdint>

#include "mapreduce/base/status.h"
#include "mapreduce/task_context.h"

namespace spillway {

struct Vertex {
  std::uint64_t number = 0;     ///< Its place among all names, sorted.
  std::uint64_t out_edges = 0;  ///< Repeated edges count each time.
};

/// The stages behind those of graph.h. Two of them are for memory mode, two for disk mode.
enum KeyedLoopStage : std::uint32_t {
  kFirstValues = 4,
  kEdgesByTarget = 5,
  kMemoryValues = 6,
  kEdgesBySource = 7,
  kRoundValues = 8
};

namespace internal {

template <class Loop>
Status SetUpLoop(Loop& loop, const TaskContext& context) {
  if constexpr (requires { loop.Setup(context.args()); }) return loop.Setup(context.args());
  return OkStatus();
}

}  // namespace internal
}  // namespace spillway
