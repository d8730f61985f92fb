// FoldCollector: the collector of jobs that declare a fold. It keeps one state per distinct key in
// a FoldTable, and writes a sorted run whenever the table is full and at the end. Where folding
// does not shrink the data it steps aside: a SortCollector takes what follows. Either way, folding
// the states of equal keys over all runs gives the result. One task, one thread.
#pragma once

#include <memory>

#include "shuffle/engine/collector.h"
#include "shuffle/engine/fold_table.h"
#include "shuffle/store/memory_budget.h"

namespace spillway {

class SortCollector;

class FoldCollector final : public Collector {
 public:
  /// Takes the share options.memory_bytes at once (untouched memory costs nothing), or what the
  /// budget has of it. `writer` outlives the collector.
  FoldCollector(const CollectorOptions& options, const FoldOptions& fold, SegmentWriter& writer);
  ~FoldCollector() override;

  /// Records carry their states as mapreduce/abi.h says. A key that is too large for the table is
  /// written as a run of its own.
  Status Collect(std::span<const Record> batch) override;

  Status Finish() override;

  const CollectorStats& stats() const override { return stats_; }

 private:
  Status Fold(std::span<const Record> batch);
  bool Pays() const;
  Status Spill();
  Status WriteAlone(const Record& record);
  Status StepAside();
  Status PassOn(std::span<const Record> batch);
  void UpdateStats();

  const FoldOptions fold_;
  const CollectorOptions options_;
  SegmentWriter& writer_;
  const std::uint32_t runs_before_;
  Status memory_status_;  ///< The system may refuse the table's memory.
  Buffer memory_;
  std::unique_ptr<FoldTable> table_;       ///< Null after stepping aside.
  std::unique_ptr<SortCollector> sorter_;  ///< Null before.
  std::uint64_t records_in_table_ = 0;     ///< Folded since the table was empty.
  std::uint64_t records_out_ = 0;          ///< Written here, not by the sorter.
  CollectorStats stats_;
};

}  // namespace spillway
