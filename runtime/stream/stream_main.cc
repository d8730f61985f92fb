// The plugin `stream`: any executables as mapper, combiner and reducer, by Hadoop's streaming
// contract. Written against abi.h itself, as no class of a user stands between: whole blocks go to
// a command and whole blocks come back.

#include <exception>
#include <memory>
#include <string>
#include <utility>

#include "mapreduce/abi.h"
#include "mapreduce/base/units.h"
#include "mapreduce/input_format.h"
#include "mapreduce/plugin.h"
#include "mapreduce/version.h"
#include "runtime/stream/stream_options.h"
#include "runtime/stream/stream_task.h"

namespace spillway {
namespace {

/// Of a command, in messages about its tasks; a slot board has no room for more.
constexpr std::size_t kShownCommandBytes = 96;

struct StreamJob {
  spillway_job abi{};
  StreamOptions options;
  std::string mapper_name, reducer_name;
};

std::string NameOf(const std::string& command) {
  return "command '" + EscapeForLog(command, kShownCommandBytes) + "'";
}

/// Runs `body`, which answers with a Status, and tells the host of a failure. 0 when there is none.
template <class Body>
int Tell(spillway_task* task, Body&& body) noexcept {
  Status status;
  try {
    status = body();
  } catch (const std::exception& error) {
    status = ResourceExhausted(error.what());
  }
  if (status.ok()) return 0;
  internal::Fail(task, status.code(), status.message());
  return 1;
}

/// A task of the plugin finds the job's options among its arguments, as any task does.
Result<StreamOptions> OptionsOf(const spillway_task* task) {
  return ReadStreamOptions(Args(task->args, task->arg_count));
}

struct Mapper {
  StreamOptions options;
  std::unique_ptr<StreamTask> task;
};

void* CreateMapper(spillway_task* task) {
  std::unique_ptr<Mapper> mapper;
  const int failed = Tell(task, [&]() -> Status {
    mapper = std::make_unique<Mapper>();
    SPILLWAY_ASSIGN_OR_RETURN(mapper->options, OptionsOf(task));
    mapper->task = std::make_unique<StreamTask>(task, mapper->options, StreamRole::kMapper);
    return mapper->task->Start();
  });
  return failed == 0 ? mapper.release() : nullptr;
}

int RunGroups(spillway_task* task, StreamRole role) {
  return Tell(task, [&]() -> Status {
    SPILLWAY_ASSIGN_OR_RETURN(const StreamOptions options, OptionsOf(task));
    if (role == StreamRole::kReducer && options.reducer.empty()) return WriteGroups(task, options);
    StreamTask attempt(task, options, role);
    SPILLWAY_RETURN_IF_ERROR(attempt.Start());
    SPILLWAY_RETURN_IF_ERROR(attempt.FeedGroups());
    return attempt.Finish();
  });
}

/// By fields of the key, where the job names some.
int Partition(spillway_task* task, const spillway_record* records, std::size_t count,
              std::uint32_t partitions, std::uint32_t* out) {
  const StreamOptions& options = static_cast<const StreamJob*>(task->job->owner)->options;
  const LineKeys& keys = options.keys;
  for (std::size_t i = 0; i < count; ++i) {
    std::string_view key(records[i].key, records[i].key_bytes);
    if (!keys.order.empty()) {
      const std::string_view line(records[i].value, records[i].value_bytes);
      key = line.substr(0, keys.KeyBytes(line));
    }
    out[i] = options.partition->Hash(key) % partitions;
  }
  return 0;
}

void Describe(StreamJob* job) {
  spillway_job& abi = job->abi;
  abi.struct_bytes = sizeof abi;
  abi.name = "stream";
  job->mapper_name = NameOf(job->options.mapper);
  job->reducer_name = NameOf(job->options.reducer);
  abi.mapper_name = job->mapper_name.c_str();
  abi.reducer_name = job->options.reducer.empty() ? nullptr : job->reducer_name.c_str();
  abi.input_name = "Lines";
  abi.output_name = "Lines";
  abi.framing = Framing::Delimited('\n').abi;
  abi.mapper_create = &CreateMapper;
  abi.mapper_map = [](void* self, spillway_task* task, const spillway_block* block) {
    return Tell(task, [&] { return static_cast<Mapper*>(self)->task->FeedBlock(*block); });
  };
  abi.mapper_finish = [](void* self, spillway_task* task) {
    return Tell(task, [&] { return static_cast<Mapper*>(self)->task->Finish(); });
  };
  abi.mapper_destroy = [](void* self) { delete static_cast<Mapper*>(self); };
  abi.map_only = job->options.map_only ? 1 : 0;
  abi.partition_kind = SPILLWAY_PARTITION_HASH;
  // The order's bytes are not the key: two keys of one order could be parted, and that is right for
  // Hadoop, whose partitioner sees keys.
  if (!job->options.keys.order.empty() && !job->options.partition)
    job->options.partition = KeyFields();
  if (job->options.partition) {
    abi.partition_kind = SPILLWAY_PARTITION_CUSTOM;
    abi.partition = &Partition;
  }
  if (!job->options.combiner.empty())
    abi.combiner_run = [](spillway_task* task) { return RunGroups(task, StreamRole::kCombiner); };
  if (!job->options.map_only)
    abi.reducer_run = [](spillway_task* task) { return RunGroups(task, StreamRole::kReducer); };
  abi.owner = job;
}

const spillway_job* Configure(const char* const* args, std::size_t count, char* error,
                              std::size_t error_bytes) {
  try {
    auto job = std::make_unique<StreamJob>();
    auto options = ReadStreamOptions(Args(args, count));
    if (!options.ok()) {
      internal::CopyError("", options.status().message().c_str(), error, error_bytes);
      return nullptr;
    }
    job->options = std::move(options).value();
    Describe(job.get());
    return &job.release()->abi;
  } catch (const std::exception& thrown) {
    internal::CopyError("the plugin threw ", thrown.what(), error, error_bytes);
    return nullptr;
  }
}

void Release(const spillway_job* job) { delete static_cast<StreamJob*>(job->owner); }

}  // namespace
}  // namespace spillway

extern "C" __attribute__((visibility("default"))) const spillway_plugin* spillway_plugin_v1() {
  static const spillway_plugin plugin = {
      sizeof(spillway_plugin),
      SPILLWAY_ABI_VERSION,
      "stream",
      "any executables as mapper and reducer; see 'spillway stream'",
      "--mapper=CMD [--combiner=CMD] [--reducer=CMD|NONE] [--directory=DIR]",
      SPILLWAY_VERSION,
      __VERSION__,
      &spillway::Configure,
      &spillway::Release,
  };
  return &plugin;
}
