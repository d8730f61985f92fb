// GroupCollector: the collector of jobs that need every value, where keys repeat. It gathers the
// values of each key in a GroupTable, so that only the distinct keys are assigned to partitions,
// sorted and merged, and writes them packed (docs/formats/segment.md). Where keys do not repeat
// that would be wasted, and a SortCollector, which writes packs of one value, does it: it takes the
// first records while a sample of their keys is judged, and it takes over again should the table
// hold too few values per key later. One task, one thread.
//
//   sampling --(keys repeat)--> grouping --(a full table did not group)--> sorting
//       `-----------------(keys do not repeat)-------------------------------^
#pragma once

#include <memory>

#include "shuffle/engine/collector.h"
#include "shuffle/engine/group_table.h"
#include "shuffle/engine/repeat_sample.h"
#include "shuffle/store/memory_budget.h"

namespace spillway {

class SortCollector;

class GroupCollector final : public Collector {
 public:
  /// Keys must compare as bytes, without a combiner; options.pack_values is set. Takes no more than
  /// options.memory_bytes and a sample of 1/64 of it. `writer` outlives the collector.
  GroupCollector(const CollectorOptions& options, SegmentWriter& writer);
  ~GroupCollector() override;

  /// A record that exceeds the table is written as a run of its own. ResourceExhausted only for
  /// keys and values above kFieldBytesMax; UserCode, when a run is written, for a partition that
  /// does not exist.
  Status Collect(std::span<const Record> batch) override;

  Status Finish() override;

  /// records_out counts values, however they are packed.
  const CollectorStats& stats() const override { return stats_; }

 private:
  Status JudgeSample();
  Status Group(std::span<const Record> batch);
  Status Spill();
  Status WriteAlone(const Record& record);
  Status StepAside();
  void UpdateStats();

  const CollectorOptions options_;
  SegmentWriter& writer_;
  const std::uint32_t runs_before_;
  std::unique_ptr<RepeatSample> sample_;   ///< While sampling.
  std::unique_ptr<SortCollector> sorter_;  ///< While sampling and sorting.
  Buffer memory_;                          ///< Of the table.
  std::unique_ptr<GroupTable> table_;      ///< While grouping.
  std::uint32_t sample_runs_ = 0;          ///< Written because sampling ended, not the memory.
  CollectorStats grouped_;                 ///< Counts of all but the present sorter.
  CollectorStats stats_;
};

}  // namespace spillway
