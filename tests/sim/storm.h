// Storm: everything that can go wrong at once, in proportions that a seed chooses.
#pragma once

#include "tests/sim/simulation_options.h"

namespace spillway {

SimulationOptions Storm(std::uint64_t seed);

/// The same, and workers come and go, outputs cannot be opened, and jobs not be set up.
SimulationOptions MovingStorm(std::uint64_t seed);

/// The same, and the coordinator's disk fails or loses what was not synced.
SimulationOptions DiskStorm(std::uint64_t seed);

/// The same, and user code hangs, fails or writes other bytes each time, clients lose messages and
/// kill their jobs, some jobs are loops. Of every fourth seed nothing may run a map twice.
SimulationOptions WildStorm(std::uint64_t seed);

}  // namespace spillway
