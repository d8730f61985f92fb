#include "runtime/task/map_task.h"

#include <memory>
#include <utility>

#include "runtime/task/heavy_key_sampler.h"
#include "runtime/task/plugin_functions.h"
#include "runtime/task/segment_output.h"
#include "runtime/task/split_walk.h"
#include "runtime/task/task_host.h"

namespace spillway {

namespace {

/// One attempt. Members are declared in the order in which they are needed, so that they go in
/// the opposite one.
class MapAttempt {
 public:
  MapAttempt(const MapTaskSpec& spec, const MapTaskResources& resources, MapTaskResult& result)
      : spec_(spec),
        resources_(resources),
        result_(result),
        identity_{"map", spec.index, spec.attempt},
        host_(resources.job, identity_, resources.control),
        walk_(spec, resources, host_),
        sampler_({.seed = spec.index,
                  .order = resources.job.order(),
                  .value_bytes = job().fold_kind == SPILLWAY_FOLD_NONE ? 0 : job().state_bytes}) {
    host_.set_ranges(&spec.ranges);
  }

  ~MapAttempt() {
    if (mapper_ == nullptr) return;
    const Status ignored = host_.Run(nullptr, [&] {
      job().mapper_destroy(mapper_);
      return 0;
    });
    static_cast<void>(ignored.ok());  // The attempt's outcome is known already.
  }

  Status Run() {
    SPILLWAY_RETURN_IF_ERROR(OpenOutput());
    SPILLWAY_RETURN_IF_ERROR(host_.Run(nullptr, [&] {
      mapper_ = job().mapper_create(host_.task());
      return mapper_ == nullptr ? 1 : 0;
    }));
    for (const SplitRange& range : spec_.ranges)
      SPILLWAY_RETURN_IF_ERROR(walk_.Walk(range, [&](const spillway_block& block) {
        return job().mapper_map(mapper_, host_.task(), &block);
      }));
    SPILLWAY_RETURN_IF_ERROR(
        host_.Run(nullptr, [&] { return job().mapper_finish(mapper_, host_.task()); }));
    return CloseOutput();
  }

  void Report() {
    result_.input_records = host_.task()->records_in;
    result_.input_bytes = walk_.input_bytes();
    result_.bad_record = walk_.bad_record();
    result_.output_records = host_.task()->records_out;
    result_.counters = host_.counters();
    if (output_ != nullptr) result_.collected = output_->collector().stats();
    result_.heavy_keys = std::move(sampler_.keys());
  }

 private:
  const spillway_job& job() const { return resources_.job.abi(); }

  Status OpenOutput() {
    host_.set_write_to(
        [this](std::string_view directory, std::string_view bytes, std::uint64_t records) {
          return resources_.part.AppendTo(directory, bytes, records);
        });
    if (job().map_only != 0) {
      host_.set_write([this](std::string_view bytes) { return resources_.part.Append(bytes); });
      return OkStatus();
    }
    partition_ = MakePartitionFunction(resources_.job, host_);
    SPILLWAY_ASSIGN_OR_RETURN(
        output_, SegmentOutput::Create({.job = resources_.job,
                                        .segments = *resources_.segments,
                                        .budget = resources_.budget,
                                        .memory_bytes = resources_.memory_bytes,
                                        .writer = resources_.writer,
                                        .control = resources_.control,
                                        .id = {resources_.job.job, spec_.index, spec_.attempt},
                                        .combiner = {"combine", spec_.index, spec_.attempt}},
                                       host_, partition_.get()));
    host_.set_collect([this](std::span<const Record> records) {
      sampler_.See(records);
      return output_->collector().Collect(records);
    });
    return OkStatus();
  }

  Status CloseOutput() {
    if (job().map_only != 0) return OkStatus();
    // One run of a first attempt is told by its blocks, which costs nothing. A further attempt has
    // both hashes, so that it can be compared with whatever came before.
    if (spec_.attempt == 0) output_->SkipRecordHashes();
    SPILLWAY_ASSIGN_OR_RETURN(result_.segment, output_->Finish());
    result_.segment_on_disk = output_->on_disk();
    return OkStatus();
  }

  const MapTaskSpec& spec_;
  const MapTaskResources& resources_;
  MapTaskResult& result_;
  const TaskIdentity identity_;
  TaskHost host_;
  SplitWalk walk_;
  std::unique_ptr<PartitionFunction> partition_;
  std::unique_ptr<SegmentOutput> output_;
  HeavyKeySampler sampler_;
  void* mapper_ = nullptr;
};

}  // namespace

MapTaskResult RunMapTask(const MapTaskSpec& spec, const MapTaskResources& resources) {
  MapTaskResult result;
  MapAttempt attempt(spec, resources, result);
  result.status = attempt.Run();
  attempt.Report();
  return result;
}

}  // namespace spillway
