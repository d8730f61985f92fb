#include "tests/sim/storm.h"

#include <algorithm>
#include <random>

#include "runtime/core/scheduler.h"

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
  options.associative = below(2) == 0;
  if (below(3) == 0) options.reduces += below(20);
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

SimulationOptions WildStorm(std::uint64_t seed) {
  SimulationOptions options = DiskStorm(seed);
  std::mt19937_64 random(seed * 15'485'863);
  const auto below = [&](std::uint32_t limit) {
    return static_cast<std::uint32_t>(random() % limit);
  };
  options.stop_ms_max = 1 + below(2) * below(300);
  options.small_channels = below(2) == 0;
  options.client_lose_permille = below(2) * below(300);
  if (options.setup_failure_permille == 0)
    options.attempt_failure_permille = below(2) * below(2) * below(400);
  if (seed % 4 == 0) {
    options.speculate = false;
    options.worker_crash_ms = options.worker_pause_ms = options.partition_ms = 0;
    options.leave_ms = options.power_cut_ms = options.commit_failure_permille = 0;
    options.setup_failure_permille = 0;
    options.small_channels |= options.lose_permille > 0;
    return options;
  }
  if (below(4) == 0) options.delay_ms_max = 1 + below(250);
  options.turn_loss_permille = options.power_cut_ms > 0 ? below(2) * below(30) : 0;
  options.hang_permille = below(4) == 0 ? below(100) : 0;
  options.doomed_permille = below(4) == 0 ? 300 : 0;
  options.kill_permille = below(4) == 0 ? 500 : 0;
  if (below(3) == 0) {
    options.loop_permille = 500;
    // All seats must run at once, if need be on one worker.
    const std::uint32_t seats_max = options.slots * kGangTasksPerSlotMax;
    options.jobs = std::min(options.jobs, seats_max);
    options.maps = std::min(options.maps, seats_max / options.jobs);
  }
  // What was told and not yet on the disk may be lost with the power, and with it the hashes.
  if (options.power_cut_ms + options.commit_failure_permille == 0)
    options.varying_permille = below(4) == 0 ? 500 : 0;
  return options;
}

}  // namespace spillway
