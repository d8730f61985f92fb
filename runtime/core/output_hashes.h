// OutputHashes: what the map tasks of a job wrote, as far as hashes tell, so that an attempt which
// writes something else than an earlier one of its task is noticed. Owned by a JobState; not
// thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/core/events.h"

namespace spillway {

class OutputHashes {
 public:
  /// Hashes kept singly in one job, so that partitions can be named: 8 MiB. A job with more map
  /// tasks times partitions keeps one for each task.
  static constexpr std::uint64_t kSingleHashesMax = 1 << 20;

  OutputHashes(std::uint32_t maps, std::uint32_t partitions, std::uint64_t single_hashes_max)
      : partitions_(partitions),
        keeps_single_(std::uint64_t{maps} * partitions <= single_hashes_max) {}

  /// Keeps what the task's first attempt wrote. What a later one wrote that differs, as in "other
  /// records to partitions 3 and 7"; empty when it agrees, or cannot be compared.
  std::string Compare(const AttemptDone& done);

  /// The attempt that others are compared with; kNoAttempt: there was none yet.
  std::uint32_t first_attempt(std::uint32_t map) const {
    return map < tasks_.size() ? tasks_[map].attempt : kNoAttempt;
  }
  std::uint64_t first_hash(std::uint32_t map) const { return tasks_[map].hash; }

  /// The job is over.
  void Clear();

 private:
  struct Task {
    std::uint64_t hash = 0;  ///< Of all partitions.
    std::uint64_t order_hash = 0;
    std::uint32_t attempt = kNoAttempt;
  };

  std::string DifferingPartitions(const AttemptDone& done) const;

  std::uint32_t partitions_;
  bool keeps_single_;
  std::vector<Task> tasks_;                         // Grown as tasks are done.
  std::vector<std::vector<std::uint64_t>> single_;  // The same, by partition.
};

}  // namespace spillway
