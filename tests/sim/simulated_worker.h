// A worker of the simulation: the real machine, and what is played around it. Owned by the
// SimulatedCluster.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include "tests/sim/simulated_cluster.h"

namespace spillway {

/// What is the same for equal arguments, and never for others.
inline std::uint64_t Mix(std::uint64_t a, std::uint64_t b) {
  std::uint64_t hash = (a ^ (b + 0x9E37'79B9'7F4A'7C15u)) * 0xBF58'476D'1CE4'E5B9u;
  return hash ^ (hash >> 29);
}

struct SimulatedCluster::Worker {
  struct Running {
    std::uint64_t executor = 0;
    Sources sources;
    std::map<std::uint32_t, SegmentRef> segments;
    bool reading = false;
    bool hangs = false;       ///< It does nothing, and is deaf.
    bool unknown = false;     ///< To the coordinator, which lost it with the power: it must stop.
    bool wrote = false;       ///< Its part, and asked for a grant.
    std::uint64_t epoch = 0;  ///< Of the worker when it was given.

    bool HasAll() const {
      for (std::uint32_t i = 0; i < sources.segments.count; ++i)
        if (!segments.contains(sources.segments.first + i)) return false;
      return true;
    }
  };

  /// What an executor knows of its loop; see runtime/task/loop_exchange.h.
  struct Loop {
    bool asked = false;
    std::uint64_t generation = 0;
    std::uint32_t round = 0;
    std::uint64_t state = 0;
    bool ended = false;
    std::uint32_t checkpoint = 0;
    std::map<std::uint32_t, std::map<std::uint32_t, std::uint64_t>> rounds;  ///< Round, part.
    std::map<AttemptId, std::pair<std::uint64_t, std::uint32_t>> contributed;
  };

  std::uint64_t life = 0;  ///< Grows with each start; what an earlier one began is void.
  std::unique_ptr<WorkerMachine> machine;
  TimeMs wake = 0;
  std::uint64_t epoch = 0;
  bool paused = false;
  bool draining = false;
  std::vector<std::function<void()>> missed;  ///< While it was paused.
  TimeMs heartbeat_due = 0;
  std::map<JobId, std::uint64_t> executors;  ///< Alive: job -> its number.
  std::map<JobId, Loop> loops;               ///< Of executors that are alive.
  std::map<AttemptId, Running> attempts;
  std::map<AttemptId, TimeMs> stops;  ///< When its executor was told; until the end is told.
  std::set<std::tuple<JobId, std::uint32_t, std::uint32_t>> segments;
};

}  // namespace spillway
