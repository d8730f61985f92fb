#include "runtime/task/segment_output.h"

#include "shuffle/engine/fold_collector.h"
#include "shuffle/engine/group_collector.h"
#include "shuffle/engine/sort_collector.h"

namespace spillway {

Result<std::unique_ptr<SegmentOutput>> SegmentOutput::Create(const SegmentOutputOptions& options,
                                                             TaskHost& host,
                                                             PartitionFunction* partition) {
  const JobContext& job = options.job;
  const spillway_job& abi = job.abi();
  std::unique_ptr<SegmentOutput> output(new SegmentOutput);
  SPILLWAY_ASSIGN_OR_RETURN(output->file_, options.segments.Create(options.id));
  SegmentWriterOptions writer = options.writer;
  writer.record_hash = job.record_hash();
  output->writer_ =
      std::make_unique<SegmentWriter>(options.id, job.partitions, *output->file_, writer);
  CollectorOptions collector;
  collector.partitions = job.partitions;
  collector.order = job.order();
  collector.partition = job.partitions > 1 ? partition : nullptr;
  collector.memory_bytes = options.memory_bytes;
  collector.budget = &options.budget;
  if (abi.combiner_run != nullptr) {
    output->combiner_ =
        std::make_unique<PluginCombiner>(job, options.combiner, options.control, host);
    collector.combine = output->combiner_.get();
  }
  if (abi.fold_kind != SPILLWAY_FOLD_NONE) {
    FoldOptions fold{abi.fold_kind, abi.state_bytes, nullptr};
    if (fold.kind == SPILLWAY_FOLD_CUSTOM) fold.combine = abi.fold_combine;
    output->collector_ = std::make_unique<FoldCollector>(collector, fold, *output->writer_);
  } else if (job.packs_values()) {
    collector.pack_values = true;
    output->collector_ = std::make_unique<GroupCollector>(collector, *output->writer_);
  } else {
    output->collector_ = std::make_unique<SortCollector>(collector, *output->writer_);
  }
  return output;
}

Result<SegmentSummary> SegmentOutput::Finish() {
  SPILLWAY_RETURN_IF_ERROR(collector_->Finish());
  SPILLWAY_ASSIGN_OR_RETURN(SegmentSummary summary, writer_->Finish());
  on_disk_ = file_->on_disk();
  SPILLWAY_RETURN_IF_ERROR(file_->Commit());
  return summary;
}

}  // namespace spillway
