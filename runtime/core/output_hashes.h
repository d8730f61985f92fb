// OutputHashes: what the map tasks of a job wrote, as far as hashes tell, so that an attempt which
// writes something else than an earlier one of its task is noticed. An attempt has hashes of its
// records in their order, of its set of records, or of both; what both attempts have is compared.
// Owned by a JobState; not thread-safe.
#pragma once

#include <array>
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
  /// Of all that is kept of the task, which has a first attempt.
  std::uint64_t first_hash(std::uint32_t map) const {
    return tasks_[map].ordered.all ^ tasks_[map].records.all;
  }

  /// The job is over.
  void Clear();

 private:
  /// One kind of hashes of one attempt.
  struct Kept {
    bool known = false;
    std::uint64_t all = 0;
    std::vector<std::uint64_t> single;  ///< By partition; may be empty.
  };
  struct Task {
    std::uint32_t attempt = kNoAttempt;
    Kept ordered, records;
  };

  void Keep(const std::vector<std::uint64_t>& hashes, Kept* kept) const;

  std::uint32_t partitions_;
  bool keeps_single_;
  std::vector<Task> tasks_;  // Grown as tasks are done.
};

}  // namespace spillway
