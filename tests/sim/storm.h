// Storm: everything that can go wrong at once, in proportions that a seed chooses.
#pragma once

#include "tests/sim/simulation_options.h"

namespace spillway {

SimulationOptions Storm(std::uint64_t seed);

}  // namespace spillway
