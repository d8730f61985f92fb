// Shrinking: the least that still goes wrong, of a run that did.
#pragma once

#include <string>
#include <vector>

#include "tests/sim/fault_plan.h"

namespace spillway {

struct FailingRun {
  std::uint64_t seed = 0;
  SimulationOptions options;
  std::vector<Fault> faults;
  std::string failure;  ///< What SimulatedCluster::Run said.
};

/// Takes away faults, then kinds of trouble, then jobs, tasks and workers, as long as the
/// same still goes wrong. Some hundreds of runs.
FailingRun Shrink(FailingRun run);

/// What is left, for a person.
std::string RunText(const FailingRun& run);

}  // namespace spillway
