// FoldedLines: the pairs of a job with a fold as lines: each is a key with its state. One thread.
#pragma once

#include <memory>
#include <span>

#include "mapreduce/base/status.h"
#include "runtime/filter/record_lines.h"
#include "shuffle/engine/fold_table.h"
#include "shuffle/record/group_stream.h"
#include "shuffle/store/memory_budget.h"

namespace spillway {

/// The map side: folds in a table, whose states are written whenever it is full, in no order. What
/// sorts the lines brings equal keys together.
class FoldedLines {
 public:
  /// All outlive this. The table takes `table_bytes` of the budget.
  static Result<std::unique_ptr<FoldedLines>> Create(const spillway_job& job,
                                                     std::uint64_t table_bytes,
                                                     MemoryBudget& budget, RecordLines& out);

  /// Records carry their states as mapreduce/abi.h says.
  Status Collect(std::span<const Record> records);
  Status Finish();

 private:
  FoldedLines(const FoldOptions& fold, Buffer memory, RecordLines& out);

  Status WriteTable();
  Status WriteAlone(const Record& record);

  Buffer memory_;
  FoldTable table_;
  RecordLines& out_;
};

/// The combiner of such a job: folds the states of equal keys, which are neighbours, and writes
/// them in order. InvalidArgument where the plugin has no function for that.
Status FoldSortedStates(const spillway_job& job, GroupStream& sorted, RecordLines& out);

}  // namespace spillway
