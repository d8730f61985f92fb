#include "runtime/task/reduce_task.h"

#include "runtime/task/reduce_input_options.h"
#include "runtime/task/task_host.h"
#include "runtime/task/user_failure.h"

namespace spillway {

namespace {

Status Run(const ReduceTaskSpec& spec, const ReduceTaskResources& resources, TaskHost& host,
           ReduceTaskResult& result) {
  const ReduceInputOptions options = InputOptionsOf(
      {.partition = spec.partition, .attempt = spec.attempt, .scratch_number = spec.partition},
      resources, resources.scratch, &result.damaged);
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
