// The faults of a simulated run, chosen from its seed before it begins: a list, so that a run that
// failed can be tried again with fewer of them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/core/attempt_id.h"
#include "tests/sim/simulation_options.h"

namespace spillway {

struct Fault {
  enum class Kind {
    kCoordinatorCrash,
    kWorkerCrash,
    kWorkerPause,    ///< Stopped; what it is told waits.
    kExecutorCrash,  ///< Of the worker's first job.
    kPartition,      ///< The worker is out of reach.
    kWorkerDrain,    ///< Unless nobody else would stay.
    kWorkerLeave,
    kPowerCut,  ///< Of the coordinator's host: what its journal has not synced may be lost.
  };

  TimeMs time = 0;
  Kind kind = Kind::kWorkerCrash;
  std::uint32_t worker = 0;
  TimeMs lasts_ms = 0;
};

/// "at 120 ms: worker 2 stands still for 700 ms".
std::string FaultText(const Fault& fault);

/// In the order of time. Equal seeds and options give equal lists.
std::vector<Fault> PlanFaults(std::uint64_t seed, const SimulationOptions& options);

}  // namespace spillway
