// SortCollector: the collector for any keys and values. Records wait encoded in an arena, each
// with a 16-byte entry that holds the first bytes of its key; when the share of memory is full they
// are bucketed by partition, sorted as numbers, combined if the job has a combiner, and written as
// one run with one copy per record. One task, one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "shuffle/engine/collector.h"
#include "shuffle/engine/record_arena.h"
#include "shuffle/engine/run_combiner.h"
#include "shuffle/engine/run_folder.h"
#include "shuffle/sort/key_sorter.h"
#include "shuffle/sort/partition_buckets.h"

namespace spillway {

class SortCollector : public Collector {
 public:
  /// Cheap: memory is taken with the first record. options.budget is set; it and all else that the
  /// options point to, and the writer, outlive the collector.
  SortCollector(const CollectorOptions& options, SegmentWriter& writer,
                SortKernel kernel = SortKernel::kFastest);

  /// What it takes of the share for records and their entries.
  static std::uint64_t ArenaBytes(const CollectorOptions& options);

  /// A record that exceeds the whole share becomes a run of its own, not combined.
  /// ResourceExhausted only for keys and values above kFieldBytesMax; UserCode for a partition
  /// that does not exist; InvalidArgument for more than ArenaEntry::kPartitionsMax partitions.
  Status Collect(std::span<const Record> batch) override;
  Status Finish() override;
  const CollectorStats& stats() const override { return stats_; }

 private:
  Status Start();
  Status CountIn(std::span<const Record> batch);
  Status AssignPartitions(std::span<const Record> batch);
  Status CollectIntoNextRun(const Record& record, std::uint32_t partition);
  Status WriteAlone(const Record& record, std::uint32_t partition);
  Status Spill();
  Status WriteSorted(std::span<const ArenaEntry> sorted, std::uint32_t partition);
  void BeginRun();

  const CollectorOptions options_;
  SegmentWriter& writer_;
  const SortKernel kernel_;
  RecordArena arena_;
  PartitionBuckets buckets_;
  std::vector<std::uint32_t> partition_ids_;  ///< Of the batch.
  std::unique_ptr<RunCombiner> combiner_;     ///< Null: none.
  std::unique_ptr<RunFolder> folder_;         ///< Null: none.
  std::uint64_t runs_ = 0;
  CollectorStats stats_;
};

}  // namespace spillway
