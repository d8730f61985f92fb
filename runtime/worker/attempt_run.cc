#include "runtime/worker/attempt_run.h"

#include <time.h>

#include <algorithm>
#include <new>
#include <utility>

#include "mapreduce/base/units.h"
#include "runtime/core/large_first.h"
#include "runtime/protocol/wire_values.h"
#include "runtime/task/loop_task.h"

namespace spillway {

namespace {

class PartAppender : public PartSink {
 public:
  PartAppender(const JobContext& job, AttemptOutput& output) : job_(job), output_(output) {}
  Status Append(std::string_view bytes) override { return output_.Append(bytes); }
  Status AppendTo(std::string_view directory, std::string_view bytes,
                  std::uint64_t records) override {
    // What lies between stages is removed, and read by the next one with all that is in it.
    if (!job_.writes_result)
      return UserCodeError("only the last stage of a chain may write to '" +
                           EscapeForLog(directory) +
                           "': the outputs of the others are removed when they have been read");
    return output_.AppendTo(directory, bytes, records);
  }

 private:
  const JobContext& job_;
  AttemptOutput& output_;
};

std::uint64_t ClockUs(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000 +
         static_cast<std::uint64_t>(now.tv_nsec) / 1'000;
}

/// Processor time of the calling thread.
std::uint64_t ThreadCpuUs() { return ClockUs(CLOCK_THREAD_CPUTIME_ID); }

/// What counters may take in a message; a counter for each key is no counter.
constexpr std::size_t kCountersBytesMax = 256 << 10;

void AddCounters(const CounterValues& counters, wire::TaskStats& stats) {
  std::size_t bytes = 0;
  for (const auto& [group, names] : counters) {
    for (const auto& [name, value] : names) {
      bytes += group.size() + name.size() + 16;
      if (bytes > kCountersBytesMax) return;
      wire::Counter& counter = *stats.add_counters();
      counter.set_group(group);
      counter.set_name(name);
      counter.set_value(value);
    }
  }
}

wire::TaskStats StatsOf(const MapTaskResult& result) {
  wire::TaskStats stats;
  stats.set_input_records(result.input_records);
  stats.set_input_bytes(result.input_bytes);
  stats.set_map_output_records(result.collected.records_in);
  stats.set_map_output_bytes(result.collected.bytes_in);
  stats.set_segment_records(result.collected.records_out);
  stats.set_spills(result.collected.spills);
  stats.set_spilled_bytes(result.segment_on_disk ? result.segment.stored_bytes : 0);
  stats.set_shuffled_bytes(result.left_bytes);
  stats.set_output_records(result.output_records);
  AddCounters(result.counters, stats);
  PutHeavyKeys(result.heavy_keys, kHeavyShareOfTask, stats);
  return stats;
}

wire::LoopStats StatsOf(const LoopExchange& loop) {
  const LoopExchange::History history = loop.history();
  wire::LoopStats stats;
  stats.set_rounds(history.rounds);
  stats.set_converged(history.converged);
  stats.set_resumed_round(history.resumed);
  for (const std::uint64_t us : history.round_us) stats.add_round_us(us);
  return stats;
}

wire::TaskStats StatsOf(const ReduceTaskResult& result) {
  wire::TaskStats stats;
  stats.set_shuffled_bytes(result.input.stored_bytes);
  stats.set_output_records(result.output_records);
  AddCounters(result.counters, stats);
  return stats;
}

wire::PartitionLoad LoadOf(const ReduceTaskResult& result, std::uint64_t run_us) {
  wire::PartitionLoad load;
  load.set_shuffled_bytes(result.input.stored_bytes);
  load.set_records(result.given.records);
  load.set_run_us(std::max<std::uint64_t>(1, run_us));
  wire::HeavyKey& group = *load.mutable_largest_group();
  group.set_key(result.given.largest_key);
  group.set_key_bytes(result.given.largest_key_bytes);
  group.set_records(result.given.largest_records);
  return load;
}

/// A message has a megabyte at most, and a single part's commit stays below that by itself.
constexpr std::size_t kJoinedCommitBytesMax = 384 << 10;
/// Map tasks of a job with reducers are told of in MapDone, beside much else.
constexpr std::uint32_t kDirectoriesBesideMax = 1'000;
constexpr std::uint64_t kNamesBesideBytesMax = 64 << 10;

/// `durable_name`: see PartFileOptions.
Result<std::unique_ptr<AttemptOutput>> CreateOutput(JobRuntime& job, const AttemptId& id,
                                                    bool durable_name = true) {
  AttemptOutputOptions options;
  options.staging_dir = job.staging_dir;
  options.file = {.part = id.task, .attempt = id.attempt, .durable = job.durable};
  options.file.durable_name = durable_name;
  options.file.of_map = id.kind == TaskKind::kMap && !job.map_only();
  options.has_part = !options.file.of_map && job.context.abi().writes_directories == 0;
  options.open_directories_max = job.open_directories_max;
  if (options.file.of_map) {
    options.directories_max = kDirectoriesBesideMax;
    options.names_bytes_max = kNamesBesideBytesMax;
  }
  return AttemptOutput::Create(job.files, job.task_budget, std::move(options));
}

wire::PartInfo ToWire(const PartInfo& info) {
  wire::PartInfo part;
  part.set_bytes(info.bytes);
  part.set_records(info.records);
  part.set_xxh3(info.xxh3);
  for (const DirectoryPart& directory : info.directories) {
    wire::DirectoryPart& beside = *part.add_directories();
    beside.set_directory(directory.directory);
    beside.set_bytes(directory.bytes);
    beside.set_records(directory.records);
    beside.set_xxh3(directory.xxh3);
  }
  return part;
}

/// Of a part that is whole, with so many records in it and its directories.
wire::PartInfo InfoOf(const AttemptOutput& output, std::uint64_t records) {
  PartInfo info = output.info();
  info.records = records;
  for (const DirectoryPart& directory : info.directories) info.records -= directory.records;
  return ToWire(info);
}

/// Asks for the commit of a map's part that is whole.
AttemptEnd CommitRequestOf(const AttemptId& id, std::unique_ptr<AttemptOutput> part,
                           wire::TaskStats stats) {
  AttemptEnd end;
  wire::CommitRequest& request = *end.answer.mutable_commit_request();
  *request.mutable_attempt() = ToWire(id);
  *request.mutable_part() = InfoOf(*part, stats.output_records());
  *request.mutable_stats() = std::move(stats);
  end.parts.push_back(std::move(part));
  return end;
}

AttemptEnd MapDoneOf(const AttemptId& id, const MapTaskResult& result, wire::TaskStats stats) {
  AttemptEnd end;
  wire::MapDone& done = *end.answer.mutable_map_done();
  *done.mutable_attempt() = ToWire(id);
  done.set_segment_bytes(result.segment.stored_bytes);
  done.set_records(result.collected.records_out);
  // Where runs are cut depends on the memory there was, and blocks with them: those of one run only
  // can be compared with another attempt's.
  if (result.segment.runs <= 1)
    for (const std::uint64_t hash : result.segment.partition_hashes)
      done.add_partition_hashes(hash);
  for (const std::uint64_t hash : result.segment.record_hashes) done.add_record_hashes(hash);
  for (const std::uint64_t bytes : result.segment.partition_bytes)
    done.mutable_partition_sizes()->push_back(static_cast<char>(SizeByteOf(bytes)));
  *done.mutable_stats() = std::move(stats);
  return end;
}

AttemptEnd RunMap(JobRuntime& job, const AttemptId& id, const MapTaskSpec& spec,
                  AttemptControl& control) {
  const std::uint64_t cpu_started_us = ThreadCpuUs();
  auto created = CreateOutput(job, id);
  if (!created.ok()) return FailedAttempt(id, created.status());
  std::unique_ptr<AttemptOutput> output = std::move(created).value();
  PartAppender sink(job.context, *output);
  const MapTaskResources resources{.job = job.context,
                                   .files = job.files,
                                   .segments = &job.segments,
                                   .part = sink,
                                   .budget = job.task_budget,
                                   .memory_bytes = job.task_bytes(),
                                   .spare = job.spare_budget,
                                   .writer = job.writer,
                                   .reader = {.block_bytes = job.memory.input_buffer_bytes,
                                              .decoder_bytes = job.memory.decoder_bytes},
                                   .control = control};
  const MapTaskResult result = job.is_loop()
                                   ? RunLoopTask({id, spec, job.maps}, resources, *job.exchange)
                                   : RunMapTask(spec, resources);
  Status status = result.status;
  if (status.ok()) status = output->Finish();
  if (!status.ok() && control.cancelled()) return StoppedAttempt(id);
  if (!status.ok()) {
    std::optional<FailedRecord> record;
    if (result.bad_record.has_value()) {
      record = FailedRecord{*result.bad_record, {}};
      for (const SplitRange& range : spec.ranges)
        if (range.file_index == record->place.file_index) record->path = range.shown();
    }
    return FailedAttempt(id, status, record);
  }
  wire::TaskStats stats = StatsOf(result);
  stats.set_cpu_us(ThreadCpuUs() - cpu_started_us);
  if (job.is_loop() && id.task == 0) *stats.mutable_loop() = StatsOf(*job.exchange);
  if (job.map_only()) return CommitRequestOf(id, std::move(output), std::move(stats));
  AttemptEnd end = MapDoneOf(id, result, std::move(stats));
  if (!output->has_directories()) return end;
  *end.answer.mutable_map_done()->mutable_beside() = ToWire(output->info());
  end.beside = std::move(output);
  return end;
}

/// The end of an attempt that reads segments and came to no good one.
AttemptEnd BadEndOf(const AttemptId& id, const Status& status,
                    const std::optional<SegmentId>& damaged, const AttemptControl& control) {
  if (control.cancelled()) return StoppedAttempt(id);
  if (!damaged.has_value()) return FailedAttempt(id, status);
  AttemptEnd end;
  wire::SegmentLost& lost = *end.answer.mutable_segment_lost();
  *lost.mutable_reduce() = ToWire(id);
  lost.set_map_task(damaged->map_task);
  lost.set_map_attempt(damaged->attempt);
  lost.set_ended(true);
  lost.set_message(status.message());
  return end;
}

/// One partition of a reduce attempt, reduced and written.
struct ReducedPart {
  std::unique_ptr<AttemptOutput> output;
  ReduceTaskResult result;
  std::uint64_t run_us = 0;
};

ReducedPart ReducePartition(JobRuntime& job, const AttemptId& id, const ReduceTaskSpec& spec,
                            bool durable_name, AttemptControl& control) {
  const std::uint64_t started_us = ClockUs(CLOCK_MONOTONIC);
  ReducedPart part;
  auto created = CreateOutput(job, {id.job, id.kind, spec.partition, id.attempt}, durable_name);
  part.result.status = created.status();
  if (!created.ok()) return part;
  part.output = std::move(created).value();
  PartAppender sink(job.context, *part.output);
  part.result = RunReduceTask(spec, {.job = job.context,
                                     .part = sink,
                                     .scratch = job.segments,
                                     .budget = job.task_budget,
                                     .memory_bytes = job.task_bytes(),
                                     .writer = job.writer,
                                     .control = control});
  if (part.result.status.ok()) part.result.status = part.output->Finish();
  part.run_us = ClockUs(CLOCK_MONOTONIC) - started_us;
  return part;
}

/// The finished parts of an attempt that may still fail: they go with it unless they are released.
class FinishedParts {
 public:
  FinishedParts() = default;
  FinishedParts(const FinishedParts&) = delete;
  FinishedParts& operator=(const FinishedParts&) = delete;
  ~FinishedParts() {
    for (const auto& part : parts_) part->Remove();
  }
  void Add(std::unique_ptr<AttemptOutput> part) { parts_.push_back(std::move(part)); }
  std::vector<std::unique_ptr<AttemptOutput>> Release() { return std::exchange(parts_, {}); }

 private:
  std::vector<std::unique_ptr<AttemptOutput>> parts_;
};

/// Puts what a partition came to into the request.
void AddPart(const ReducedPart& part, bool first, wire::CommitRequest& request) {
  wire::PartInfo info = InfoOf(*part.output, part.result.output_records);
  wire::PartitionLoad load = LoadOf(part.result, part.run_us);
  if (first) {
    *request.mutable_part() = std::move(info);
    *request.mutable_load() = std::move(load);
    return;
  }
  wire::JoinedPart& joined = *request.add_joined();
  *joined.mutable_part() = std::move(info);
  *joined.mutable_load() = std::move(load);
}

AttemptEnd RunReduce(JobRuntime& job, const AttemptId& id, const ReduceInputs& inputs,
                     AttemptControl& control) {
  const std::uint64_t cpu_started_us = ThreadCpuUs();
  AttemptEnd end;
  FinishedParts parts;
  wire::CommitRequest& request = *end.answer.mutable_commit_request();
  wire::TaskStats stats;
  stats.set_fetched_bytes(inputs.fetched.network_bytes);
  for (std::uint32_t i = 0; i < inputs.partitions; ++i) {
    ReducedPart part = ReducePartition(job, id, {id.task + i, id.attempt, inputs.segments},
                                       inputs.partitions == 1, control);
    if (!part.result.status.ok())
      return BadEndOf(id, part.result.status, part.result.damaged, control);
    Add(stats, StatsOf(part.result));
    AddPart(part, i == 0, request);
    parts.Add(std::move(part.output));
    // Not a failure: one by one they can be told.
    if (i > 0 && request.ByteSizeLong() + stats.ByteSizeLong() > kJoinedCommitBytesMax)
      return FailedAttempt(
          id, Cancelled("its " + std::to_string(inputs.partitions) +
                        " partitions have more counters and directories than one commit can tell"));
  }
  // The names of several parts are made durable at once.
  if (inputs.partitions > 1 && job.durable) {
    const Status synced = job.files.SyncDirectory(job.staging_dir + "/attempts");
    if (!synced.ok()) return FailedAttempt(id, synced);
  }
  stats.set_cpu_us(ThreadCpuUs() - cpu_started_us);
  *request.mutable_attempt() = ToWire(id);
  *request.mutable_stats() = std::move(stats);
  end.parts = parts.Release();
  return end;
}

wire::TaskStats StatsOf(const CombineTaskResult& result, const FetchTotals& fetched) {
  wire::TaskStats stats;
  stats.set_spills(result.collected.spills);
  stats.set_spilled_bytes(result.segment_on_disk ? result.segment.stored_bytes : 0);
  stats.set_shuffled_bytes(result.input.stored_bytes);
  stats.set_fetched_bytes(fetched.network_bytes);
  AddCounters(result.counters, stats);
  return stats;
}

AttemptEnd RunCombine(JobRuntime& job, const AttemptId& id, const CombineTaskSpec& spec,
                      const FetchTotals& fetched, AttemptControl& control) {
  const std::uint64_t cpu_started_us = ThreadCpuUs();
  const CombineTaskResult result = RunCombineTask(spec, {.job = job.context,
                                                         .segments = job.segments,
                                                         .budget = job.task_budget,
                                                         .memory_bytes = job.task_bytes(),
                                                         .writer = job.writer,
                                                         .control = control});
  if (!result.status.ok()) return BadEndOf(id, result.status, result.damaged, control);
  AttemptEnd end;
  wire::MapDone& done = *end.answer.mutable_map_done();
  *done.mutable_attempt() = ToWire(id);
  done.set_segment_bytes(result.segment.stored_bytes);
  done.set_records(result.collected.records_out);
  *done.mutable_stats() = StatsOf(result, fetched);
  done.mutable_stats()->set_cpu_us(ThreadCpuUs() - cpu_started_us);
  return end;
}

/// The engine itself may run out of memory, too, when user code takes all that the process may
/// have. That is nobody's record's fault, so the task runs again.
template <class Run>
AttemptEnd WithinMemory(const AttemptId& id, Run&& run) {
  try {
    return run();
  } catch (const std::bad_alloc&) {
    return FailedAttempt(id, Aborted("the process ran out of memory, which its user code shares; "
                                     "give more with --memory, or run fewer slots"));
  }
}

}  // namespace

Result<MapTaskSpec> MapTaskSpecOf(const wire::StartMap& start) {
  MapTaskSpec spec;
  spec.index = start.attempt().task();
  spec.attempt = start.attempt().attempt();
  if (start.files_size() != start.ranges_size())
    return InvalidArgument("a map task with " + std::to_string(start.ranges_size()) +
                           " ranges of " + std::to_string(start.files_size()) + " files");
  for (int i = 0; i < start.ranges_size(); ++i) {
    const wire::FileRange& range = start.ranges(i);
    const wire::InputFile& file = start.files(i);
    if (range.offset() > file.bytes() || range.bytes() > file.bytes() - range.offset())
      return InvalidArgument("a range that reaches beyond the end of " + file.path());
    spec.ranges.push_back({file.path(), range.file_index(), file.bytes(), range.offset(),
                           range.bytes(), file.inode(), file.mtime_ns(), file.name(),
                           file.input()});
  }
  for (const wire::RecordPlace& place : start.skips()) spec.skips.push_back(FromWire(place));
  std::sort(spec.skips.begin(), spec.skips.end());
  return spec;
}

AttemptEnd RunMapAttempt(JobRuntime& job, const MapTaskSpec& spec, AttemptControl& control) {
  const AttemptId id{job.job, TaskKind::kMap, spec.index, spec.attempt};
  return WithinMemory(id, [&] { return RunMap(job, id, spec, control); });
}

AttemptEnd RunReduceAttempt(JobRuntime& job, const AttemptId& id, const ReduceInputs& inputs,
                            AttemptControl& control) {
  return WithinMemory(id, [&] { return RunReduce(job, id, inputs, control); });
}

AttemptEnd RunCombineAttempt(JobRuntime& job, const CombineTaskSpec& spec,
                             const FetchTotals& fetched, AttemptControl& control) {
  const AttemptId id{job.job, TaskKind::kCombine, spec.index, spec.attempt};
  return WithinMemory(id, [&] { return RunCombine(job, id, spec, fetched, control); });
}

AttemptEnd FailedAttempt(const AttemptId& id, const Status& status,
                         const std::optional<FailedRecord>& record) {
  AttemptEnd end;
  wire::AttemptFailed& failed = *end.answer.mutable_attempt_failed();
  *failed.mutable_attempt() = ToWire(id);
  *failed.mutable_status() = ToWire(status);
  if (record.has_value()) {
    *failed.mutable_record()->mutable_place() = ToWire(record->place);
    failed.mutable_record()->set_path(record->path);
  }
  return end;
}

AttemptEnd StoppedAttempt(const AttemptId& id) {
  AttemptEnd end;
  *end.answer.mutable_attempt_stopped()->mutable_attempt() = ToWire(id);
  return end;
}

std::optional<wire::Message> FailureInsteadOf(const wire::Message& message, const Status& why) {
  wire::AttemptId attempt;
  if (message.has_commit_request()) {
    attempt = message.commit_request().attempt();
  } else if (message.has_map_done()) {
    attempt = message.map_done().attempt();
  } else if (message.has_loop_contribution()) {
    attempt = message.loop_contribution().seat();
  } else {
    return std::nullopt;
  }
  return FailedAttempt(FromWire(attempt), why).answer;
}

}  // namespace spillway
