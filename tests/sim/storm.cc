#include "tests/sim/storm.h"

#include <random>

namespace spillway {

SimulationOptions Storm(std::uint64_t seed) {
  std::mt19937_64 random(seed * 7919);
  const auto below = [&](std::uint32_t limit) {
    return static_cast<std::uint32_t>(random() % limit);
  };
  SimulationOptions options;
  options.workers = 1 + below(5);
  options.slots = 1 + below(3);
  options.maps = 1 + below(12);
  options.reduces = 1 + below(5);
  options.jobs = 1 + below(3);
  options.map_only = below(5) == 0;
  options.lose_permille = below(2) * below(150);
  options.double_permille = below(2) * below(150);
  options.delay_ms_max = 1 + below(40);
  options.coordinator_crash_ms = below(2) * (300 + below(1'500));
  options.worker_crash_ms = below(2) * (300 + below(2'000));
  options.worker_pause_ms = below(2) * (500 + below(3'000));
  options.executor_crash_ms = below(2) * (200 + below(2'000));
  options.partition_ms = below(2) * (500 + below(3'000));
  options.attempt_failure_permille = below(2) * below(20);
  options.older_workers = below(2) == 0;
  options.executors_max = 1 + below(3);
  return options;
}

SimulationOptions MovingStorm(std::uint64_t seed) {
  SimulationOptions options = Storm(seed);
  std::mt19937_64 random(seed * 104'729);
  const auto below = [&](std::uint32_t limit) {
    return static_cast<std::uint32_t>(random() % limit);
  };
  options.drain_ms = below(2) * (200 + below(1'500));
  options.leave_ms = below(2) * (300 + below(1'500));
  options.open_failure_permille = below(2) * below(500);
  options.setup_failure_permille = below(2) * below(200);
  // Together they would use up a task's attempts, and nothing would be wrong.
  if (options.setup_failure_permille > 0) options.attempt_failure_permille = 0;
  return options;
}

SimulationOptions DiskStorm(std::uint64_t seed) {
  SimulationOptions options = MovingStorm(seed);
  std::mt19937_64 random(seed * 1'299'709);
  const auto below = [&](std::uint32_t limit) {
    return static_cast<std::uint32_t>(random() % limit);
  };
  options.power_cut_ms = below(2) * (300 + below(1'500));
  options.commit_failure_permille = below(2) * below(30);
  return options;
}

}  // namespace spillway
