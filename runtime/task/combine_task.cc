#include "runtime/task/combine_task.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <span>
#include <utility>

#include "runtime/task/reduce_input_options.h"
#include "runtime/task/segment_output.h"
#include "runtime/task/task_host.h"

namespace spillway {

namespace {

class OnePartition : public PartitionFunction {
 public:
  explicit OnePartition(std::uint32_t partition) : partition_(partition) {}
  Status Partition(std::span<const Record> records, std::uint32_t* out) override {
    std::fill_n(out, records.size(), partition_);
    return OkStatus();
  }

 private:
  const std::uint32_t partition_;
};

/// Hands merged records to a collector. States of a fold lie in segments as bytes, and are given to
/// the collector as a mapper gives them: aligned, or in the value's place.
class RecordFeed {
 public:
  /// Takes at most a kShare-th of the share.
  static Result<RecordFeed> Make(const spillway_job& job, std::uint64_t share_bytes,
                                 MemoryBudget& budget) {
    RecordFeed feed(job.fold_kind == SPILLWAY_FOLD_NONE ? 0 : job.state_bytes);
    if (!feed.wide()) return feed;
    feed.batch_ = std::clamp<std::size_t>(share_bytes / kShare / feed.state_bytes_, 1, kBatchMax);
    // Little, and nothing moves without it; others may hold what the budget had.
    SPILLWAY_ASSIGN_OR_RETURN(feed.states_,
                              Buffer::AllocateForced(budget, feed.batch_ * feed.state_bytes_));
    return feed;
  }

  std::uint64_t bytes() const { return states_.size(); }

  Status Collect(std::span<const Record> records, Collector& collector) {
    if (state_bytes_ == 0) return collector.Collect(records);
    std::array<Record, kBatchMax> batch;
    while (!records.empty()) {
      const std::size_t count = std::min(batch_, records.size());
      for (std::size_t i = 0; i < count; ++i) {
        if (records[i].value_bytes != state_bytes_)
          return DataLoss("a segment of a fold has a record with " +
                          std::to_string(records[i].value_bytes) + " bytes of state instead of " +
                          std::to_string(state_bytes_));
        batch[i] = WithState(records[i], i);
      }
      SPILLWAY_RETURN_IF_ERROR(collector.Collect(std::span(batch).first(count)));
      records = records.subspan(count);
    }
    return OkStatus();
  }

 private:
  static constexpr std::size_t kBatchMax = 256;
  static constexpr std::uint64_t kShare = 16;

  explicit RecordFeed(std::uint32_t state_bytes) : state_bytes_(state_bytes) {}

  bool wide() const { return state_bytes_ > sizeof(const char*); }

  Record WithState(Record record, std::size_t i) {
    const char* const state = record.value;
    if (wide()) {
      char* const aligned = states_.data() + i * state_bytes_;
      std::memcpy(aligned, state, state_bytes_);
      record.value = aligned;
    } else {
      std::memcpy(&record.value, state, sizeof record.value);
    }
    return record;
  }

  std::uint32_t state_bytes_;  ///< 0: no fold.
  std::size_t batch_ = kBatchMax;
  Buffer states_;
};

Status Run(const CombineTaskSpec& spec, const CombineTaskResources& resources, TaskHost& host,
           CombineTaskResult& result) {
  // Its scratch is numbered behind that of the reduce tasks.
  ReduceInputOptions options =
      InputOptionsOf({.partition = spec.partition,
                      .attempt = spec.attempt,
                      .scratch_number = resources.job.partitions + spec.index},
                     resources, resources.segments, &result.damaged);
  options.memory_bytes = resources.memory_bytes / 2;
  SPILLWAY_ASSIGN_OR_RETURN(const auto input, ReduceInput::Open(spec.segments, options));
  const std::uint64_t collector_bytes = resources.memory_bytes / 2;
  SPILLWAY_ASSIGN_OR_RETURN(
      auto feed, RecordFeed::Make(resources.job.abi(), collector_bytes, resources.budget));
  OnePartition partition(spec.partition);
  SPILLWAY_ASSIGN_OR_RETURN(
      const auto output,
      SegmentOutput::Create(
          {.job = resources.job,
           .segments = resources.segments,
           .budget = resources.budget,
           .memory_bytes = collector_bytes - std::min(collector_bytes / 2, feed.bytes()),
           .writer = resources.writer,
           .control = resources.control,
           .id = {resources.job.job, spec.segment, spec.attempt},
           .combiner = {"combine", spec.index, spec.attempt}},
          host, &partition));
  output->SkipRecordHashes();  // Nobody compares them.
  for (;;) {
    SPILLWAY_RETURN_IF_ERROR(options.step());
    SPILLWAY_ASSIGN_OR_RETURN(const GroupBatch batch, input->Next());
    if (batch.records.empty()) break;
    SPILLWAY_RETURN_IF_ERROR(feed.Collect(batch.records, output->collector()));
  }
  result.input = input->stats();
  SPILLWAY_ASSIGN_OR_RETURN(result.segment, output->Finish());
  result.segment_on_disk = output->on_disk();
  result.collected = output->collector().stats();
  return OkStatus();
}

}  // namespace

CombineTaskResult RunCombineTask(const CombineTaskSpec& spec,
                                 const CombineTaskResources& resources) {
  CombineTaskResult result;
  TaskHost host(resources.job, {"combine", spec.index, spec.attempt}, resources.control);
  result.status = Run(spec, resources, host, result);
  result.counters = host.counters();
  return result;
}

}  // namespace spillway
