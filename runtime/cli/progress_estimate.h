// ProgressEstimate: what successive samples of a job's progress say about its speed and its end.
// One thread. No clock: the samples carry their time.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string_view>

#include "runtime/local/job_runner.h"

namespace spillway {

/// "preparing", "map", "reduce", "commit", "done".
std::string_view PhaseName(JobProgress::Phase phase);

/// Whole percent of the current phase.
unsigned PhasePercent(const JobProgress& progress);

class ProgressEstimate {
 public:
  /// Samples come with ascending elapsed_ms; with the next stage of a chain all begins anew.
  void Add(const JobProgress& progress);

  /// Input read over the last seconds; 0 when unknown.
  std::uint64_t input_bytes_per_second() const;

  /// Time until the current phase ends, from its speed so far; nothing while that is a guess.
  std::optional<std::uint64_t> phase_remaining_ms() const;

 private:
  struct Sample {
    std::uint64_t elapsed_ms;
    std::uint64_t input_bytes;
  };

  std::deque<Sample> window_;
  JobProgress last_;
  std::uint64_t phase_started_ms_ = 0;
  std::uint32_t done_at_phase_start_ = 0;  ///< Of its reduces and combines.
};

}  // namespace spillway
