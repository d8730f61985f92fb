#include "runtime/task/map_task.h"

#include <algorithm>
#include <memory>

#include "mapreduce/base/units.h"
#include "runtime/task/plugin_functions.h"
#include "runtime/task/task_host.h"
#include "shuffle/engine/fold_collector.h"
#include "shuffle/engine/group_collector.h"
#include "shuffle/engine/sort_collector.h"

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
        host_(resources.job, identity_, resources.control) {
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
    for (const SplitRange& range : spec_.ranges) SPILLWAY_RETURN_IF_ERROR(MapRange(range));
    SPILLWAY_RETURN_IF_ERROR(
        host_.Run(nullptr, [&] { return job().mapper_finish(mapper_, host_.task()); }));
    return CloseOutput();
  }

  void Report() {
    result_.input_records = host_.task()->records_in;
    result_.output_records = host_.task()->records_out;
    result_.counters = host_.counters();
    if (collector_ != nullptr) result_.collected = collector_->stats();
  }

 private:
  const spillway_job& job() const { return resources_.job.abi(); }

  Status OpenOutput() {
    if (job().map_only != 0) {
      host_.set_write([this](std::string_view bytes) { return resources_.part->Append(bytes); });
      return OkStatus();
    }
    const SegmentId id{resources_.job.job, spec_.index, spec_.attempt};
    SPILLWAY_ASSIGN_OR_RETURN(file_, resources_.segments->Create(id));
    SegmentWriterOptions writer = resources_.writer;
    writer.record_hash = resources_.job.record_hash();
    writer_ = std::make_unique<SegmentWriter>(id, resources_.job.partitions, *file_, writer);
    partition_ = MakePartitionFunction(resources_.job, host_);
    CollectorOptions options;
    options.partitions = resources_.job.partitions;
    options.order = resources_.job.order();
    options.partition = resources_.job.partitions > 1 ? partition_.get() : nullptr;
    options.memory_bytes = resources_.memory_bytes;
    options.budget = &resources_.budget;
    if (job().combiner_run != nullptr) {
      combiner_ = std::make_unique<PluginCombiner>(
          resources_.job, TaskIdentity{"combine", spec_.index, spec_.attempt}, resources_.control,
          host_);
      options.combine = combiner_.get();
    }
    if (job().fold_kind != SPILLWAY_FOLD_NONE) {
      FoldOptions fold{job().fold_kind, job().state_bytes, nullptr};
      if (fold.kind == SPILLWAY_FOLD_CUSTOM) fold.combine = job().fold_combine;
      collector_ = std::make_unique<FoldCollector>(options, fold, *writer_);
    } else if (resources_.job.packs_values()) {
      options.pack_values = true;
      collector_ = std::make_unique<GroupCollector>(options, *writer_);
    } else {
      collector_ = std::make_unique<SortCollector>(options, *writer_);
    }
    host_.set_collect(
        [this](std::span<const Record> records) { return collector_->Collect(records); });
    return OkStatus();
  }

  Status CloseOutput() {
    if (job().map_only != 0) return OkStatus();
    // One run of a first attempt is told by its blocks, which costs nothing. A further attempt has
    // both hashes, so that it can be compared with whatever came before.
    if (writer_->runs() == 0 && spec_.attempt == 0) writer_->SkipRecordHashes();
    SPILLWAY_RETURN_IF_ERROR(collector_->Finish());
    SPILLWAY_ASSIGN_OR_RETURN(result_.segment, writer_->Finish());
    result_.segment_on_disk = file_->on_disk();
    return file_->Commit();
  }

  /// A file that was replaced or rewritten since the job was planned would give other records to
  /// each attempt. One that only grows is read as far as it was planned.
  Status CheckUnchanged(const SplitRange& range) {
    if (range.inode == 0) return OkStatus();
    SPILLWAY_ASSIGN_OR_RETURN(const FileInfo now, resources_.files.Stat(range.path));
    const bool grown = now.bytes > range.file_bytes;
    if (now.inode == range.inode && (now.mtime_ns == range.mtime_ns || grown)) return OkStatus();
    return BadData(range.path +
                   " was changed while the job ran; run it again when the file is at "
                   "rest");
  }

  Status MapRange(const SplitRange& range) {
    SPILLWAY_RETURN_IF_ERROR(CheckUnchanged(range));
    SPILLWAY_ASSIGN_OR_RETURN(const auto file, resources_.files.Open(range.path));
    BlockReader reader(*file, range, job().framing, resources_.reader, resources_.spare);
    spillway_block block{};
    while (true) {
      if (resources_.control.cancelled()) return Cancelled("the attempt was stopped");
      SPILLWAY_ASSIGN_OR_RETURN(const bool more, reader.Next(&block));
      if (!more) return OkStatus();
      SkipBadRecords(&block);
      const Status status =
          host_.Run(&block, [&] { return job().mapper_map(mapper_, host_.task(), &block); });
      if (!status.ok()) return AtRecord(status, block);
      result_.input_bytes += block.bytes;
      resources_.control.AddInputBytes(block.bytes);
    }
  }

  /// Points the block at those of its records that are to be passed over.
  void SkipBadRecords(spillway_block* block) {
    skips_.clear();
    const RecordPlace first{block->file_index, block->file_offset};
    for (auto it = std::lower_bound(spec_.skips.begin(), spec_.skips.end(), first);
         it != spec_.skips.end() && it->file_index == block->file_index &&
         it->offset < block->file_offset + block->bytes;
         ++it)
      skips_.push_back(block->data + (it->offset - block->file_offset));
    block->skips = skips_.data();
    block->skip_count = skips_.size();
  }

  /// Adds the record at which user code failed. Failures of the engine have their own place.
  Status AtRecord(const Status& status, const spillway_block& block) {
    if (status.code() != Code::kUserCode && status.code() != Code::kBadData) return status;
    const char* const at = host_.task()->current_record;
    if (at < block.data || at >= block.data + block.bytes) return status;
    const auto in_block = static_cast<std::uint64_t>(at - block.data);
    result_.bad_record = RecordPlace{block.file_index, block.file_offset + in_block};
    std::string_view record(at, block.bytes - in_block);
    record = record.substr(0, record.find('\n'));
    return Status(status.code(), status.message() + " at " + block.path + ":" +
                                     std::to_string(result_.bad_record->offset) + ", record '" +
                                     EscapeForLog(record) + "'");
  }

  const MapTaskSpec& spec_;
  const MapTaskResources& resources_;
  MapTaskResult& result_;
  const TaskIdentity identity_;
  TaskHost host_;
  std::unique_ptr<SegmentFile> file_;
  std::unique_ptr<SegmentWriter> writer_;
  std::unique_ptr<PartitionFunction> partition_;
  std::unique_ptr<PluginCombiner> combiner_;
  std::unique_ptr<Collector> collector_;
  std::vector<const char*> skips_;
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
