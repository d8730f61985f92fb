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
  options.speculate = false;
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

TEST(ClusterSimulation, DrainedWorkersLeaveAndNoMapRunsAgain) {
  std::uint32_t gone = 0;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    SimulationOptions options;
    options.maps = 12;
    options.drain_ms = 150;
    options.speculate = false;
    SimulatedCluster cluster(seed, options);
    ASSERT_EQ(cluster.Run(), "") << "seed " << seed;
    ASSERT_EQ(cluster.maps_run(), options.maps * options.jobs) << "seed " << seed;
    gone += cluster.workers_gone();
  }
  EXPECT_GT(gone, 100u);
}

TEST(ClusterSimulation, AJobWhoseOutputCannotBeOpenedIsSubmittedAgain) {
  std::uint32_t failed = 0;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    SimulationOptions options;
    options.open_failure_permille = 500;
    SimulatedCluster cluster(seed, options);
    ASSERT_EQ(cluster.Run(), "") << "seed " << seed;
    ASSERT_EQ(cluster.jobs_failed(), 0u) << "seed " << seed;
    failed += cluster.opens_failed();
  }
  EXPECT_GT(failed, 50u);
}

TEST(ClusterSimulation, OutputIsRightWhoeverComesAndGoes) {
  std::uint32_t gone = 0, opens_failed = 0, setups_failed = 0, jobs_failed = 0, jobs = 0;
  const std::uint64_t first = FromEnvironment("SPILLWAY_SIM_FIRST", 1);
  const std::uint64_t seeds = FromEnvironment("SPILLWAY_SIM_SEEDS", 1'000);
  for (std::uint64_t seed = first; seed < first + seeds; ++seed) {
    const SimulationOptions options = MovingStorm(seed);
    SimulatedCluster cluster(seed, options);
    EXPECT_EQ(cluster.Run(), "") << "seed " << seed;
    gone += cluster.workers_gone();
    opens_failed += cluster.opens_failed();
    setups_failed += cluster.setups_failed();
    jobs_failed += cluster.jobs_failed();
    jobs += options.jobs;
  }
  if (seeds < 1'000) return;
  // Everything happened, and most jobs succeeded all the same.
  EXPECT_GT(gone, 500u);
  EXPECT_GT(opens_failed, 100u);
  EXPECT_GT(setups_failed, 100u);
  EXPECT_GT(jobs_failed, 0u);
  EXPECT_LT(jobs_failed, jobs / 10);
}

TEST(ClusterSimulation, WhatWasGrantedStaysGrantedWhateverTheJournalLoses) {
  std::uint32_t turns_lost = 0, commits_failed = 0;
  const std::uint64_t first = FromEnvironment("SPILLWAY_SIM_FIRST", 1);
  const std::uint64_t seeds = FromEnvironment("SPILLWAY_SIM_SEEDS", 1'000);
  for (std::uint64_t seed = first; seed < first + seeds; ++seed) {
    SimulatedCluster cluster(seed, DiskStorm(seed));
    EXPECT_EQ(cluster.Run(), "") << "seed " << seed;
    turns_lost += cluster.turns_lost();
    commits_failed += cluster.commits_failed();
  }
  if (seeds < 1'000) return;
  EXPECT_GT(turns_lost, 500u);
  EXPECT_GT(commits_failed, 100u);
}

// Seeds that found something.
TEST(ClusterSimulation, WhatOnceWentWrongDoesNot) {
  for (const std::uint64_t seed : {
           7'013,  // Doubled registrations ended each other's sessions, more of them each time.
           7'930,  // An answer to an older registration: slots were given away twice.
           14'761,
           19'450,
       }) {
    SimulatedCluster cluster(seed, MovingStorm(seed));
    EXPECT_EQ(cluster.Run(), "") << "seed " << seed;
  }
  for (const std::uint64_t seed : {
           107,  // A power cut took a job's beginning, and its attempts were numbered from 0 again.
           139,
       }) {
    SimulatedCluster cluster(seed, DiskStorm(seed));
    EXPECT_EQ(cluster.Run(), "") << "seed " << seed;
  }
}

TEST(ClusterSimulation, OutputIsRightWhateverFails) {
  std::uint32_t combines = 0, joins = 0;
  const std::uint64_t first = FromEnvironment("SPILLWAY_SIM_FIRST", 1);
  const std::uint64_t seeds = FromEnvironment("SPILLWAY_SIM_SEEDS", 1'000);
  for (std::uint64_t seed = first; seed < first + seeds; ++seed) {
    SimulatedCluster cluster(seed, Storm(seed));
    EXPECT_EQ(cluster.Run(), "") << "seed " << seed;
    combines += cluster.combines_run();
    joins += cluster.joins_run();
  }
  if (seeds < 1'000) return;
  EXPECT_GT(combines, 500u);
  EXPECT_GT(joins, 500u);
}

}  // namespace
}  // namespace spillway
