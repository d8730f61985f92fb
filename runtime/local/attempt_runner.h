// AttemptRunner: what the attempts of one job share (files, stores, memory, output), and the code
// that runs one attempt on a slot's thread and posts its outcome. Thread-safe once Open has
// returned. Shared by the job and its attempts, so that an attempt which does not end can be left
// behind.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "runtime/core/events.h"
#include "runtime/local/prepared_job.h"
#include "runtime/storage/output_staging.h"
#include "runtime/storage/posix_file_system.h"
#include "runtime/storage/scratch_directory.h"
#include "runtime/task/map_task.h"
#include "runtime/task/reduce_task.h"
#include "shuffle/store/disk_segment_store.h"
#include "shuffle/store/hybrid_segment_store.h"

namespace spillway {

/// How an attempt ended, with what it leaves.
struct AttemptOutcome {
  AttemptId attempt;
  Event event;                                   ///< For the scheduler.
  std::shared_ptr<const SegmentReader> segment;  ///< Of a map.
  std::unique_ptr<PartFile> part;                ///< Finished; waits for the grant.
  MapTaskResult map;
  ReduceTaskResult reduce;
};

class AttemptRunner {
 public:
  explicit AttemptRunner(std::shared_ptr<const PreparedJob> job);

  /// Makes scratch and staging directories, and removes what dead runs left there.
  Status Open();

  /// Samples the input when the job partitions by ranges. Cancelled when that was asked for.
  Status ChooseRanges(const std::atomic<bool>& cancel_requested);

  void RunMap(const MapTaskSpec& spec, const std::shared_ptr<AttemptControl>& control);
  void RunReduce(const ReduceTaskSpec& spec, const std::shared_ptr<AttemptControl>& control);

  /// The next outcome, or nothing after `wait_ms`.
  std::optional<AttemptOutcome> NextOutcome(std::uint64_t wait_ms);

  std::vector<SplitRange> RangesOf(std::uint32_t map_task) const;
  SegmentStore& segments() { return *segments_; }
  OutputStaging& output() { return *output_; }
  const std::string& job_id() const { return job_id_; }
  std::uint64_t segment_job() const { return context_.job; }  ///< SegmentId::job.
  std::uint64_t spilled_bytes() const { return disk_ == nullptr ? 0 : disk_->spilled_bytes(); }

  /// Removes staging and scratch. What an abandoned attempt still writes is lost with them.
  void Close();

 private:
  Result<std::unique_ptr<PartFile>> CreatePart(std::uint32_t part, std::uint32_t attempt);
  void Post(AttemptOutcome outcome);
  AttemptFailed Failure(const AttemptId& id, const Status& status,
                        const std::optional<RecordPlace>& bad_record) const;

  const std::shared_ptr<const PreparedJob> job_;
  const std::string job_id_;
  JobContext context_;
  PosixFileSystem files_;
  MemoryBudget task_budget_;
  MemoryBudget segment_budget_;
  MemoryBudget spare_budget_;  ///< Blocks, and records that are longer than one.
  std::vector<std::unique_ptr<ScratchDirectory>> scratch_;
  std::unique_ptr<DiskSegmentStore> disk_;
  std::unique_ptr<HybridSegmentStore> segments_;
  std::unique_ptr<OutputStaging> output_;

  std::mutex mutex_;
  std::condition_variable posted_;
  std::deque<AttemptOutcome> outcomes_;  // Guarded by mutex_.
};

}  // namespace spillway
