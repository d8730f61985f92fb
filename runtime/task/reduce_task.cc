#include "runtime/task/reduce_task.h"

#include "runtime/task/task_host.h"
#include "runtime/task/user_failure.h"

namespace spillway {

namespace {

Status Run(const ReduceTaskSpec& spec, const ReduceTaskResources& resources, TaskHost& host,
           ReduceTaskResult& result) {
  ReduceInputOptions options;
  options.partition = spec.partition;
  options.order = resources.job.order();
  options.unpack_values = resources.job.packs_values();
  options.memory_bytes = resources.memory_bytes;
  options.budget = &resources.budget;
  options.scratch = &resources.scratch;
  options.scratch_id = {resources.job.job, kMergeTaskBase + spec.partition * kReduceMergesMax,
                        spec.attempt};
  options.writer = resources.writer;
  options.damaged = &result.damaged;
  options.step = [&control = resources.control] {
    control.AddProgress();
    return control.cancelled() ? Cancelled("the attempt was stopped") : OkStatus();
  };
  SPILLWAY_ASSIGN_OR_RETURN(const auto input, ReduceInput::Open(spec.segments, options));
  GroupMeter meter(*input, options.order);
  LastBatch groups(meter);
  host.set_groups(&groups);
  host.set_write([&](std::string_view bytes) { return resources.part.Append(bytes); });
  host.set_write_to([&](std::string_view directory, std::string_view bytes, std::uint64_t records) {
    return resources.part.AppendTo(directory, bytes, records);
  });
  const Status status =
      host.Run(nullptr, [&] { return resources.job.abi().reducer_run(host.task()); });
  result.input = input->stats();
  result.given = meter.sizes();
  return AtKey(status, *host.task(), groups.batch());
}

}  // namespace

ReduceTaskResult RunReduceTask(const ReduceTaskSpec& spec, const ReduceTaskResources& resources) {
  ReduceTaskResult result;
  TaskHost host(resources.job, {"reduce", spec.partition, spec.attempt}, resources.control);
  result.status = Run(spec, resources, host, result);
  result.groups = host.task()->records_in;
  result.output_records = host.task()->records_out;
  result.counters = host.counters();
  return result;
}

}  // namespace spillway
