#include "tests/sim/fault_plan.h"

#include <algorithm>
#include <random>

namespace spillway {
namespace {

constexpr TimeMs kCoordinatorDownMs = 300;
constexpr TimeMs kWorkerDownMs = 200;
constexpr TimeMs kPausedMsMax = 3'000;

/// Its own stream of random numbers for each kind, so that more faults of one move no others.
constexpr std::uint64_t kStreamStep = 0x9E37'79B9'7F4A'7C15u;

}  // namespace

std::string FaultText(const Fault& fault) {
  const std::string at = "at " + std::to_string(fault.time) + " ms: ";
  const std::string worker = "worker " + std::to_string(fault.worker);
  const std::string lasts = " for " + std::to_string(fault.lasts_ms) + " ms";
  switch (fault.kind) {
    case Fault::Kind::kCoordinatorCrash: return at + "the coordinator is down" + lasts;
    case Fault::Kind::kPowerCut: return at + "the coordinator's host is without power" + lasts;
    case Fault::Kind::kWorkerCrash: return at + worker + " is down" + lasts;
    case Fault::Kind::kWorkerPause: return at + worker + " stands still" + lasts;
    case Fault::Kind::kExecutorCrash: return at + worker + "'s executor crashes";
    case Fault::Kind::kPartition: return at + worker + " is out of reach" + lasts;
    case Fault::Kind::kWorkerDrain: return at + worker + " drains";
    case Fault::Kind::kWorkerLeave: return at + worker + " leaves";
  }
  return at;
}

std::vector<Fault> PlanFaults(std::uint64_t seed, const SimulationOptions& options) {
  std::vector<Fault> faults;
  const auto every = [&](std::uint32_t mean_ms, Fault::Kind kind, TimeMs lasts_ms_max) {
    if (mean_ms == 0) return;
    std::mt19937_64 random(seed + kStreamStep * (static_cast<std::uint64_t>(kind) + 1));
    for (TimeMs time = random() % (2 * mean_ms); time < options.faults_end_ms;
         time += 1 + random() % (2 * mean_ms)) {
      const auto worker = static_cast<std::uint32_t>(random() % options.workers);
      faults.push_back({time, kind, worker, lasts_ms_max == 0 ? 0 : random() % lasts_ms_max});
    }
  };
  every(options.coordinator_crash_ms, Fault::Kind::kCoordinatorCrash, kCoordinatorDownMs);
  every(options.worker_crash_ms, Fault::Kind::kWorkerCrash, kWorkerDownMs);
  every(options.worker_pause_ms, Fault::Kind::kWorkerPause, kPausedMsMax);
  every(options.executor_crash_ms, Fault::Kind::kExecutorCrash, 0);
  every(options.partition_ms, Fault::Kind::kPartition, kPausedMsMax);
  every(options.drain_ms, Fault::Kind::kWorkerDrain, 0);
  every(options.leave_ms, Fault::Kind::kWorkerLeave, 0);
  every(options.power_cut_ms, Fault::Kind::kPowerCut, kCoordinatorDownMs);
  std::stable_sort(faults.begin(), faults.end(),
                   [](const Fault& a, const Fault& b) { return a.time < b.time; });
  return faults;
}

}  // namespace spillway
