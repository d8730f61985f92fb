#include "runtime/task/plugin_functions.h"

#include <string>

#include "mapreduce/base/units.h"
#include "shuffle/engine/hash_partition.h"
#include "shuffle/engine/range_partition.h"

namespace spillway {

namespace {

class PluginPartition : public PartitionFunction {
 public:
  PluginPartition(const JobContext& job, TaskHost& host) : job_(job), host_(host) {}

  Status Partition(std::span<const Record> records, std::uint32_t* out) override {
    SPILLWAY_RETURN_IF_ERROR(host_.Run(nullptr, [&] {
      return job_.abi().partition(host_.task(), records.data(), records.size(), job_.partitions,
                                  out);
    }));
    for (std::size_t i = 0; i < records.size(); ++i) {
      if (out[i] < job_.partitions) continue;
      return UserCodeError("the partitioner answered " + std::to_string(out[i]) + " for key '" +
                           EscapeForLog(KeyOf(records[i])) + "', but there are only " +
                           std::to_string(job_.partitions) +
                           " partitions: take the remainder by `partitions`");
    }
    return OkStatus();
  }

 private:
  const JobContext& job_;
  TaskHost& host_;
};

}  // namespace

std::unique_ptr<PartitionFunction> MakePartitionFunction(const JobContext& job, TaskHost& host) {
  switch (job.abi().partition_kind) {
    case SPILLWAY_PARTITION_CUSTOM: return std::make_unique<PluginPartition>(job, host);
    case SPILLWAY_PARTITION_RANGE:
      return std::make_unique<RangePartition>(job.range_cuts, job.order());
    default: return std::make_unique<HashPartition>(job.partitions, job.order());
  }
}

Status PluginCombiner::Combine(GroupStream& groups,
                               const std::function<Status(std::span<const Record>)>& emit) {
  TaskHost host(job_, identity_, control_);
  host.set_groups(&groups);
  host.set_collect(emit);
  const Status status =
      host.Run(nullptr, [&] { return job_.abi().combiner_run(host.task()); }).Annotate("combiner");
  parent_.AddCounters(host.counters());
  return status;
}

}  // namespace spillway
