// SegmentOutput: the segment that a map or combine task leaves: the collector that its job asks
// for, and the writer behind it. One attempt, one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "runtime/task/job_context.h"
#include "runtime/task/plugin_functions.h"
#include "runtime/task/task_host.h"
#include "shuffle/engine/collector.h"
#include "shuffle/format/segment_writer.h"
#include "shuffle/store/memory_budget.h"
#include "shuffle/store/segment_store.h"

namespace spillway {

struct SegmentOutputOptions {
  const JobContext& job;
  SegmentStore& segments;
  MemoryBudget& budget;
  std::uint64_t memory_bytes = 64 << 20;  ///< The collector's share of the budget.
  SegmentWriterOptions writer;
  AttemptControl& control;
  SegmentId id;
  TaskIdentity combiner;  ///< Of the combiner, for messages.
};

class SegmentOutput {
 public:
  /// `host` is the task's, `partition` its partition function, which may be null where the job has
  /// one partition. Both outlive the output, as does all that the options name.
  static Result<std::unique_ptr<SegmentOutput>> Create(const SegmentOutputOptions& options,
                                                       TaskHost& host,
                                                       PartitionFunction* partition);

  Collector& collector() { return *collector_; }
  /// Of an output of one run: its blocks tell as much, at no cost. Before Finish.
  void SkipRecordHashes() {
    if (writer_->runs() == 0) writer_->SkipRecordHashes();
  }

  /// Writes what is left, and commits the segment.
  Result<SegmentSummary> Finish();
  bool on_disk() const { return on_disk_; }

 private:
  SegmentOutput() = default;

  // In the order in which they are needed, so that they go in the opposite one.
  std::unique_ptr<SegmentFile> file_;
  std::unique_ptr<SegmentWriter> writer_;
  std::unique_ptr<PluginCombiner> combiner_;
  std::unique_ptr<Collector> collector_;
  bool on_disk_ = false;
};

}  // namespace spillway
