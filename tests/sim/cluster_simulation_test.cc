#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "tests/sim/simulated_cluster.h"

namespace spillway {
namespace {

std::uint64_t FromEnvironment(const char* name, std::uint64_t fallback) {
  const char* const text = std::getenv(name);
  return text == nullptr ? fallback : std::strtoull(text, nullptr, 10);
}

/// Everything at once, in proportions that the seed chooses.
SimulationOptions Stormy(std::uint64_t seed) {
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

TEST(ClusterSimulation, CalmJobsEndAndRunEachMapOnce) {
  SimulationOptions options;
  SimulatedCluster cluster(1, options);
  EXPECT_EQ(cluster.Run(), "");
  EXPECT_EQ(cluster.maps_run(), options.maps * options.jobs);
}

TEST(ClusterSimulation, ARestartedCoordinatorRunsNoFinishedMapAgain) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    SimulationOptions options;
    options.coordinator_crash_ms = 200;
    options.speculate = false;
    SimulatedCluster cluster(seed, options);
    ASSERT_EQ(cluster.Run(), "") << "seed " << seed;
    ASSERT_EQ(cluster.maps_run(), options.maps * options.jobs) << "seed " << seed;
  }
}

TEST(ClusterSimulation, EqualSeedsGiveEqualTraces) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SimulatedCluster one(seed, Stormy(seed)), two(seed, Stormy(seed));
    EXPECT_EQ(one.Run(), two.Run());
    EXPECT_EQ(one.trace_hash(), two.trace_hash()) << "seed " << seed;
  }
}

// Seeds that found something.
TEST(ClusterSimulation, WhatOnceWentWrongDoesNot) {
  for (const std::uint64_t seed : {
           10'114,  // Doubled registrations ended each other's sessions, more of them each time.
       }) {
    SimulatedCluster cluster(seed, Stormy(seed));
    EXPECT_EQ(cluster.Run(), "") << "seed " << seed;
  }
}

TEST(ClusterSimulation, OutputIsRightWhateverFails) {
  const std::uint64_t first = FromEnvironment("SPILLWAY_SIM_FIRST", 1);
  const std::uint64_t seeds = FromEnvironment("SPILLWAY_SIM_SEEDS", 1'000);
  for (std::uint64_t seed = first; seed < first + seeds; ++seed) {
    SimulatedCluster cluster(seed, Stormy(seed));
    EXPECT_EQ(cluster.Run(), "") << "seed " << seed;
  }
}

}  // namespace
}  // namespace spillway
