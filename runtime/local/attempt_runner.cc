#include "runtime/local/attempt_runner.h"

#include <unistd.h>

#include <chrono>
#include <ctime>

#include "runtime/task/key_sampler.h"
#include "shuffle/engine/range_partition.h"

namespace spillway {

namespace {

/// "20261121-034500-4711": sorts by time, and no two processes of a host share one.
std::string NewJobId() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  ::gmtime_r(&now, &utc);
  char text[32];
  const std::size_t bytes = std::strftime(text, sizeof text, "%Y%m%d-%H%M%S-", &utc);
  return std::string(text, bytes) + std::to_string(::getpid());
}

/// What long records may take. It is not left to the segments, which fill all they are given:
/// whether a record can be read must not depend on how far the job is.
std::uint64_t SpareBytes(const PreparedJob& job) { return job.memory.segment_bytes / 4; }

class PartAppender : public PartSink {
 public:
  explicit PartAppender(PartFile& part) : part_(part) {}
  Status Append(std::string_view bytes) override { return part_.Append(bytes); }

 private:
  PartFile& part_;
};

SegmentWriterOptions WriterOptions(const PreparedJob& job) {
  SegmentWriterOptions options;
  options.compression = job.request.compression;
  return options;
}

}  // namespace

AttemptRunner::AttemptRunner(std::shared_ptr<const PreparedJob> job)
    : job_(std::move(job)),
      job_id_(NewJobId()),
      task_budget_(job_->memory.threads * job_->memory.task_bytes),
      segment_budget_(job_->memory.segment_bytes - SpareBytes(*job_)),
      spare_budget_(SpareBytes(*job_) + job_->memory.threads * job_->memory.input_buffer_bytes) {
  context_.plugin = job_->plugin.get();
  context_.job = std::hash<std::string>{}(job_id_);
  for (const FoundFile& file : job_->inputs) context_.input_paths.push_back(file.path);
  context_.side_files = job_->request.side_files;
  context_.partitions = job_->parts;
}

Status AttemptRunner::Open() {
  DiskSegmentStoreOptions options;
  for (const std::string& directory : job_->spill_dirs) {
    SPILLWAY_RETURN_IF_ERROR(ScratchDirectory::RemoveLeftovers(directory).status());
    SPILLWAY_ASSIGN_OR_RETURN(auto scratch, ScratchDirectory::Create(directory, job_id_));
    options.directories.push_back(scratch->path());
    scratch_.push_back(std::move(scratch));
  }
  disk_ = std::make_unique<DiskSegmentStore>(files_, options);
  segments_ = std::make_unique<HybridSegmentStore>(segment_budget_, *disk_);
  SPILLWAY_ASSIGN_OR_RETURN(output_,
                            OutputStaging::Create(files_, {.output_dir = job_->request.output_dir,
                                                           .job_id = job_id_,
                                                           .parts = job_->parts,
                                                           .overwrite = job_->request.overwrite,
                                                           .durable = job_->request.durable,
                                                           .owner = {}}));
  return OkStatus();
}

void AttemptRunner::Close() {
  if (output_ != nullptr) output_->Discard();  // An abandoned attempt may still use it.
  scratch_.clear();
}

Status AttemptRunner::ChooseRanges(const std::atomic<bool>& cancel_requested) {
  if (context_.abi().partition_kind != SPILLWAY_PARTITION_RANGE || context_.partitions < 2)
    return OkStatus();
  std::vector<SplitRange> ranges;
  for (std::uint32_t map = 0; map < job_->maps.size(); ++map) {
    std::vector<SplitRange> more = RangesOf(map);
    ranges.insert(ranges.end(), more.begin(), more.end());
  }
  SPILLWAY_ASSIGN_OR_RETURN(
      auto keys, SampleKeys(context_, files_, ranges, spare_budget_, {}, cancel_requested));
  context_.range_cuts = RangeCuts(std::move(keys), context_.partitions);
  return OkStatus();
}

std::vector<SplitRange> AttemptRunner::RangesOf(std::uint32_t map_task) const {
  std::vector<SplitRange> ranges;
  for (const FileRange& range : job_->maps[map_task].ranges) {
    const FoundFile& file = job_->inputs[range.file_index];
    ranges.push_back({file.path, range.file_index, file.info.bytes, range.offset, range.bytes,
                      file.info.inode, file.info.mtime_ns});
  }
  return ranges;
}

AttemptFailed AttemptRunner::Failure(const AttemptId& id, const Status& status,
                                     const std::optional<RecordPlace>& bad_record) const {
  AttemptFailed failed{id, status, std::nullopt};
  if (bad_record.has_value())
    failed.record = FailedRecord{*bad_record, job_->inputs[bad_record->file_index].path};
  return failed;
}

Result<std::unique_ptr<PartFile>> AttemptRunner::CreatePart(std::uint32_t part,
                                                            std::uint32_t attempt) {
  return PartFile::Create(
      files_, output_->staging_dir(),
      {.part = part, .attempt = attempt, .durable = job_->request.durable, .durable_name = false});
}

void AttemptRunner::RunMap(const MapTaskSpec& spec,
                           const std::shared_ptr<AttemptControl>& control) {
  AttemptOutcome outcome;
  outcome.attempt = {1, TaskKind::kMap, spec.index, spec.attempt};
  std::unique_ptr<PartAppender> sink;
  Status status;
  if (job_->map_only()) {
    auto part = CreatePart(spec.index, spec.attempt);
    status = part.status();
    if (part.ok()) {
      outcome.part = std::move(part).value();
      sink = std::make_unique<PartAppender>(*outcome.part);
    }
  }
  if (status.ok()) {
    outcome.map = RunMapTask(spec, {.job = context_,
                                    .files = files_,
                                    .segments = segments_.get(),
                                    .part = sink.get(),
                                    .budget = task_budget_,
                                    .memory_bytes = job_->memory.task_bytes,
                                    .spare = spare_budget_,
                                    .writer = WriterOptions(*job_),
                                    .reader = {.block_bytes = job_->memory.input_buffer_bytes},
                                    .control = *control});
    status = outcome.map.status;
  }
  if (status.ok() && job_->map_only()) {
    status = outcome.part->Finish();
    outcome.event = CommitRequested{outcome.attempt};
  } else if (status.ok()) {
    const SegmentId id{context_.job, spec.index, spec.attempt};
    auto bytes = segments_->Open(id);
    status = bytes.status();
    if (bytes.ok()) {
      auto segment = SegmentReader::Open(std::move(bytes).value(), id);
      status = segment.status();
      if (segment.ok()) outcome.segment = std::move(segment).value();
    }
    outcome.event = AttemptDone{outcome.attempt, outcome.map.segment.stored_bytes,
                                outcome.map.segment.partition_hashes};
  }
  if (!status.ok() && control->cancelled()) {
    outcome.event = AttemptStopped{outcome.attempt};
  } else if (!status.ok()) {
    outcome.event = Failure(outcome.attempt, status, outcome.map.bad_record);
  }
  if (!status.ok()) outcome.part.reset();
  Post(std::move(outcome));
}

void AttemptRunner::RunReduce(const ReduceTaskSpec& spec,
                              const std::shared_ptr<AttemptControl>& control) {
  AttemptOutcome outcome;
  outcome.attempt = {1, TaskKind::kReduce, spec.partition, spec.attempt};
  auto part = CreatePart(spec.partition, spec.attempt);
  Status status = part.status();
  if (part.ok()) {
    outcome.part = std::move(part).value();
    PartAppender sink(*outcome.part);
    outcome.reduce = RunReduceTask(spec, {.job = context_,
                                          .part = sink,
                                          .scratch = *segments_,
                                          .budget = task_budget_,
                                          .memory_bytes = job_->memory.task_bytes,
                                          .writer = WriterOptions(*job_),
                                          .control = *control});
    status = outcome.reduce.status;
  }
  if (status.ok()) status = outcome.part->Finish();
  if (status.ok()) {
    outcome.event = CommitRequested{outcome.attempt};
  } else if (control->cancelled()) {
    outcome.event = AttemptStopped{outcome.attempt};
  } else if (outcome.reduce.damaged.has_value()) {
    outcome.event = SegmentLost{outcome.attempt, outcome.reduce.damaged->map_task,
                                outcome.reduce.damaged->attempt, true};
  } else {
    outcome.event = Failure(outcome.attempt, status, std::nullopt);
  }
  if (!status.ok()) outcome.part.reset();
  Post(std::move(outcome));
}

void AttemptRunner::Post(AttemptOutcome outcome) {
  {
    const std::lock_guard lock(mutex_);
    outcomes_.push_back(std::move(outcome));
  }
  posted_.notify_one();
}

std::optional<AttemptOutcome> AttemptRunner::NextOutcome(std::uint64_t wait_ms) {
  std::unique_lock lock(mutex_);
  posted_.wait_for(lock, std::chrono::milliseconds(wait_ms), [&] { return !outcomes_.empty(); });
  if (outcomes_.empty()) return std::nullopt;
  AttemptOutcome outcome = std::move(outcomes_.front());
  outcomes_.pop_front();
  return outcome;
}

}  // namespace spillway
