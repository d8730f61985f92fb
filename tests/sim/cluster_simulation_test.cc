#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "tests/sim/simulated_cluster.h"
#include "tests/sim/storm.h"

namespace spillway {
namespace {

std::uint64_t FromEnvironment(const char* name, std::uint64_t fallback) {
  const char* const text = std::getenv(name);
  return text == nullptr ? fallback : std::strtoull(text, nullptr, 10);
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
    SimulatedCluster one(seed, Storm(seed)), two(seed, Storm(seed));
    EXPECT_EQ(one.Run(), two.Run());
    EXPECT_EQ(one.trace_hash(), two.trace_hash()) << "seed " << seed;
  }
}

// Seeds that found something.
TEST(ClusterSimulation, WhatOnceWentWrongDoesNot) {
  for (const std::uint64_t seed : {
           10'114,  // Doubled registrations ended each other's sessions, more of them each time.
       }) {
    SimulatedCluster cluster(seed, Storm(seed));
    EXPECT_EQ(cluster.Run(), "") << "seed " << seed;
  }
}

TEST(ClusterSimulation, OutputIsRightWhateverFails) {
  const std::uint64_t first = FromEnvironment("SPILLWAY_SIM_FIRST", 1);
  const std::uint64_t seeds = FromEnvironment("SPILLWAY_SIM_SEEDS", 1'000);
  for (std::uint64_t seed = first; seed < first + seeds; ++seed) {
    SimulatedCluster cluster(seed, Storm(seed));
    EXPECT_EQ(cluster.Run(), "") << "seed " << seed;
  }
}

}  // namespace
}  // namespace spillway
