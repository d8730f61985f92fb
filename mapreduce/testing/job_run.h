// JobRun: one run of a job in memory, for JobTest. Its shape is what a job must not depend on:
// where the input is cut, how often results are combined, how groups are handed over. One thread.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mapreduce/abi.h"
#include "mapreduce/base/status.h"
#include "mapreduce/testing/record_cuts.h"
#include "mapreduce/testing/record_order.h"
#include "mapreduce/testing/test_host.h"

namespace spillway {

/// How often a combiner or a fold is applied on the map side.
enum class Combining { kNever, kOnce, kRepeatedly };

/// How a run is cut into pieces. The output of a correct job is the same for all.
struct TestShape {
  std::uint64_t split_bytes = UINT64_MAX;  ///< Input of a map task.
  std::uint64_t block_bytes = UINT64_MAX;  ///< Input of one call of the mapper.
  std::size_t batch_records = 64;          ///< Records that the reduce side is given at once.
  Combining combining = Combining::kOnce;
};

namespace internal {

struct TestInput {
  std::string path;
  std::string bytes;
  std::uint32_t input = 0;  ///< Of the job's, where they have names.
};

class JobRun {
 public:
  JobRun(const spillway_job& job, const TestSetup& setup, const std::vector<TestInput>& inputs,
         std::uint32_t partitions, const TestShape& shape)
      : job_(job),
        setup_(setup),
        inputs_(inputs),
        partitions_(partitions),
        shape_(shape),
        order_(job) {}

  Status Run() {
    for (std::uint32_t file = 0; file < inputs_.size(); ++file)
      SPILLWAY_RETURN_IF_ERROR(MapFile(file));
    if (job_.map_only != 0) return OkStatus();
    if (job_.partition_kind == SPILLWAY_PARTITION_RANGE) {
      StoredRecords all;
      for (const StoredRecords& output : map_outputs_)
        all.insert(all.end(), output.begin(), output.end());
      range_cuts_ = order_.RangeCuts(std::move(all), partitions_);
    }
    std::vector<StoredRecords> partitions(partitions_);
    for (StoredRecords& output : map_outputs_)
      SPILLWAY_RETURN_IF_ERROR(Shuffle(std::move(output), &partitions));
    for (StoredRecords& partition : partitions)
      SPILLWAY_RETURN_IF_ERROR(Reduce(std::move(partition)));
    return OkStatus();
  }

  const std::vector<std::string>& parts() const { return parts_; }
  const TestCounters& counters() const { return counters_; }
  const std::map<std::string, std::string>& directories() const { return directories_; }

 private:
  // Of a map output that is combined repeatedly, the runs have 1, 2, 3, 1, 2, 3... records: what
  // was combined becomes the first as well as the second operand.
  static constexpr std::size_t kRunRecordsMax = 3;

  TestHost::Options HostOptions(std::size_t task_index) const {
    TestHost::Options options;
    options.job = &job_;
    options.job_name = job_.name;
    options.task_index = static_cast<std::uint32_t>(task_index);
    options.partitions = partitions_;
    options.values_are_bits = job_.fold_kind != SPILLWAY_FOLD_NONE && job_.state_bytes == 8;
    options.batch_records_max = shape_.batch_records;
    for (const TestInput& input : inputs_) options.paths.push_back(input.path);
    return options;
  }

  /// What a task that ended well leaves beside its records.
  void Take(const TestHost& host) {
    for (const auto& [name, count] : host.counters()) counters_[name] += count;
    for (const auto& [directory, bytes] : host.directories()) directories_[directory] += bytes;
  }

  /// The end of a piece of `bytes` that begins at `from`, moved to where a record begins.
  static Result<std::uint64_t> EndOf(RecordCuts& cuts, std::uint64_t from, std::uint64_t bytes,
                                     std::uint64_t all) {
    return cuts.CutAt(bytes >= all - from ? all : from + std::max<std::uint64_t>(bytes, 1));
  }

  Status MapFile(std::uint32_t file) {
    const std::string_view bytes = inputs_[file].bytes;
    const spillway_framing& framing = FramingOf(job_, inputs_[file].input);
    RecordCuts cuts(framing, bytes);
    const std::uint64_t split_bytes = IsSplittable(framing) ? shape_.split_bytes : bytes.size();
    for (std::uint64_t begin = 0; begin < bytes.size();) {
      SPILLWAY_ASSIGN_OR_RETURN(const std::uint64_t end,
                                EndOf(cuts, begin, split_bytes, bytes.size()));
      SPILLWAY_RETURN_IF_ERROR(MapSplit(file, begin, end));
      begin = end;
    }
    return OkStatus();
  }

  Status MapSplit(std::uint32_t file, std::uint64_t begin, std::uint64_t end) {
    TestHost host(setup_, HostOptions(tasks_++));
    const std::unique_ptr<void, void (*)(void*)> mapper(job_.mapper_create(host.task()),
                                                        job_.mapper_destroy);
    if (mapper == nullptr) return host.status();
    RecordCuts cuts(FramingOf(job_, inputs_[file].input), inputs_[file].bytes);
    while (begin < end) {
      SPILLWAY_ASSIGN_OR_RETURN(std::uint64_t block_end,
                                EndOf(cuts, begin, shape_.block_bytes, end));
      block_end = std::min(block_end, end);
      if (MapBlock(mapper.get(), file, begin, block_end, host) != 0) return host.status();
      begin = block_end;
    }
    if (job_.mapper_finish(mapper.get(), host.task()) != 0) return host.status();
    Take(host);
    if (job_.map_only != 0) parts_.push_back(host.written());
    map_outputs_.push_back(std::move(host.collected()));
    return OkStatus();
  }

  /// A copy of the block's own: what a mapper keeps of it is gone, as it is in the command.
  int MapBlock(void* mapper, std::uint32_t file, std::uint64_t begin, std::uint64_t end,
               TestHost& host) {
    const TestInput& input = inputs_[file];
    const auto bytes = static_cast<std::size_t>(end - begin);
    const auto copy = std::make_unique<char[]>(bytes + SPILLWAY_PADDING_BYTES);
    input.bytes.copy(copy.get(), bytes, begin);
    const spillway_block block = {sizeof(spillway_block), file,    copy.get(), bytes,       begin,
                                  input.path.c_str(),     nullptr, 0,          input.input, 0};
    return job_.mapper_map(mapper, host.task(), &block);
  }

  /// One map output into its partitions, each sorted and combined.
  Status Shuffle(StoredRecords output, std::vector<StoredRecords>* partitions) {
    TestHost host(setup_, HostOptions(0));
    SPILLWAY_ASSIGN_OR_RETURN(const auto places,
                              order_.Partition(output, partitions_, host, range_cuts_));
    std::vector<StoredRecords> mine(partitions_);
    for (std::size_t i = 0; i < output.size(); ++i) mine[places[i]].push_back(std::move(output[i]));
    for (std::uint32_t p = 0; p < partitions_; ++p) {
      SPILLWAY_ASSIGN_OR_RETURN(const StoredRecords combined, CombineMapOutput(std::move(mine[p])));
      (*partitions)[p].insert((*partitions)[p].end(), combined.begin(), combined.end());
    }
    return OkStatus();
  }

  Result<StoredRecords> CombineMapOutput(StoredRecords records) {
    if (shape_.combining == Combining::kRepeatedly) {
      StoredRecords runs;
      std::size_t run_records = 1;
      for (std::size_t at = 0; at < records.size();) {
        const std::size_t count = std::min(run_records, records.size() - at);
        const auto begin = records.begin() + static_cast<std::ptrdiff_t>(at);
        SPILLWAY_ASSIGN_OR_RETURN(const StoredRecords run,
                                  Combine({begin, begin + static_cast<std::ptrdiff_t>(count)}));
        runs.insert(runs.end(), run.begin(), run.end());
        at += count;
        run_records = run_records % kRunRecordsMax + 1;
      }
      records = std::move(runs);
    }
    if (shape_.combining == Combining::kNever) return records;
    return Combine(std::move(records));
  }

  Result<StoredRecords> Combine(StoredRecords records) {
    order_.Sort(&records);
    if (job_.fold_kind != SPILLWAY_FOLD_NONE) return order_.Fold(std::move(records));
    if (job_.combiner_run == nullptr) return records;
    const GroupedRecords grouped = order_.Group(std::move(records));
    TestHost host(setup_, HostOptions(0));
    host.Serve(grouped);
    if (job_.combiner_run(host.task()) != 0) return host.status();
    Take(host);
    const auto out_of_order = [this](const StoredRecord& a, const StoredRecord& b) {
      return order_.Compare(a.key(), b.key()) > 0;
    };
    const StoredRecords& out = host.collected();
    if (std::adjacent_find(out.begin(), out.end(), out_of_order) != out.end())
      return InvalidArgument(
          "the combiner emitted keys out of order: it may emit only the keys "
          "of the group that it was given, in their order");
    return std::move(host.collected());
  }

  Status Reduce(StoredRecords records) {
    order_.Sort(&records);
    const GroupedRecords grouped = order_.Group(std::move(records));
    TestHost host(setup_, HostOptions(parts_.size()));
    host.Serve(grouped);
    if (job_.reducer_run(host.task()) != 0) return host.status();
    Take(host);
    parts_.push_back(host.written());
    return OkStatus();
  }

  const spillway_job& job_;
  const TestSetup& setup_;
  const std::vector<TestInput>& inputs_;
  const std::uint32_t partitions_;
  const TestShape shape_;
  const RecordOrder order_;
  std::size_t tasks_ = 0;
  std::vector<StoredRecords> map_outputs_;
  StoredRecords range_cuts_;
  std::vector<std::string> parts_;
  TestCounters counters_;
  std::map<std::string, std::string> directories_;
};

}  // namespace internal
}  // namespace spillway
