// SimulationOptions: the size of a simulated run and what goes wrong in it.
#pragma once

#include <cstdint>

#include "runtime/core/attempt_id.h"

namespace spillway {

struct SimulationOptions {
  std::uint32_t workers = 3;
  std::uint32_t slots = 2;
  std::uint32_t maps = 6;
  std::uint32_t reduces = 3;
  std::uint32_t jobs = 2;
  bool map_only = false;
  bool speculate = true;
  /// Per mille of frames that are lost, doubled; and delay in ms.
  std::uint32_t lose_permille = 0;
  std::uint32_t double_permille = 0;
  std::uint32_t delay_ms_max = 5;
  /// Mean time between faults of a kind; 0: none.
  std::uint32_t coordinator_crash_ms = 0;
  std::uint32_t worker_crash_ms = 0;
  std::uint32_t worker_pause_ms = 0;
  std::uint32_t executor_crash_ms = 0;
  std::uint32_t partition_ms = 0;
  std::uint32_t attempt_failure_permille = 0;
  std::uint32_t executors_max = 64;  ///< Of each worker; beyond it idle ones are ended.
  std::uint32_t drain_ms = 0;        ///< One worker at least is spared.
  std::uint32_t leave_ms = 0;
  /// Of a job: its output cannot be opened, and its client submits again. Of a job on a worker: it
  /// cannot be set up there, which may be its end.
  std::uint32_t open_failure_permille = 0;
  std::uint32_t setup_failure_permille = 0;
  std::uint32_t power_cut_ms = 0;             ///< Of the coordinator's host.
  std::uint32_t commit_failure_permille = 0;  ///< Of turns with records; the coordinator ends.
  TimeMs faults_end_ms = 3'000;
  TimeMs end_ms = 120'000;               ///< By then every job has ended.
  std::uint64_t events_max = 1'000'000;  ///< More than a run takes that is no storm.
  bool older_workers = false;            ///< Some speak the protocol's version before.

  bool operator==(const SimulationOptions&) const = default;
};

}  // namespace spillway
