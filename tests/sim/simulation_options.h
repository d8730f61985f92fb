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
  bool associative = false;  ///< Its jobs': their partitions may be split.
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
  /// Of turns that may be lost with the power: it is cut a moment later.
  std::uint32_t turn_loss_permille = 0;
  std::uint32_t stop_ms_max = 1;           ///< That an attempt takes to stop.
  std::uint32_t hang_permille = 0;         ///< Of attempts.
  std::uint32_t client_lose_permille = 0;  ///< Of what clients ask, and of the answers.
  /// Of jobs: a map fails whenever it runs; the client kills it; its maps write other bytes each
  /// time; it is a loop in memory mode.
  std::uint32_t doomed_permille = 0;
  std::uint32_t kill_permille = 0;
  std::uint32_t varying_permille = 0;
  std::uint32_t loop_permille = 0;
  TimeMs faults_end_ms = 3'000;
  TimeMs end_ms = 120'000;               ///< By then every job has ended.
  std::uint64_t events_max = 1'000'000;  ///< More than a run takes that is no storm.
  bool small_channels = false;           ///< Of which few frames fill the window.
  bool older_workers = false;            ///< Some speak the protocol's version before.

  /// Nothing happens by which the output of a map that is done may be lost, or be made twice.
  bool RunsMapsOnce() const {
    return !speculate && worker_crash_ms + worker_pause_ms + partition_ms + leave_ms == 0 &&
           // Else a lease may run out over messages that are sent again once a second.
           (lose_permille == 0 || small_channels) &&
           power_cut_ms + commit_failure_permille + turn_loss_permille == 0 &&
           hang_permille + kill_permille == 0 &&
           setup_failure_permille + doomed_permille + varying_permille + loop_permille == 0;
  }

  bool operator==(const SimulationOptions&) const = default;
};

}  // namespace spillway
