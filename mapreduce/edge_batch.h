// EdgeBatch: a piece of a graph's edges by target, as a keyed loop in memory mode keeps it: the
// targets in order, each with the number of its edges here, and the sources of all of them one
// after the other (CSR). A target's edges may go on in the next batch. Vertices have 32 bits:
// memory mode takes no more of them. A value; one thread.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <vector>

#include "mapreduce/loop_bytes.h"

namespace spillway {

struct EdgeBatch {
  struct Run {
    std::uint32_t target = 0;
    std::uint32_t edges = 0;
  };

  std::uint32_t file_index = 0;  ///< Where the edges come from: the slice of their targets.
  std::vector<Run> runs;
  std::vector<std::uint32_t> sources;

  /// Edges come sorted by (target, source).
  void Add(std::uint32_t target, std::uint32_t source) {
    if (runs.empty() || runs.back().target != target) runs.push_back({target, 0});
    ++runs.back().edges;
    sources.push_back(source);
  }

  std::uint64_t bytes() const {
    return runs.capacity() * sizeof(Run) + sources.capacity() * sizeof sources[0];
  }
  void Save(LoopWriter& out) const {
    out.Put(file_index);
    out.Put(runs);
    out.Put(sources);
  }
  /// Throws std::runtime_error for runs that are not those of the sources.
  void Load(LoopReader& in) {
    in.Get(file_index);
    in.Get(runs);
    in.Get(sources);
    std::uint64_t edges = 0;
    for (const Run& run : runs) edges += run.edges;
    if (edges != sources.size()) throw std::runtime_error("saved edges of a graph do not add up");
  }
};

}  // namespace spillway
