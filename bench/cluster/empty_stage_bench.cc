// How long an empty task takes in a real cluster: two worker processes of one slot each on this
// host, a job of ten thousand maps that find nothing. A time begins when the coordinator assigns an
// attempt and ends when it hears that it is done: coordinator, daemon, executor and back.
//
//   empty_stage_bench --spillway=PROGRAM --plugin=FILE.so [--tasks=N] [--workers=N]
//
// The last line of the output is the figures as a JSON object.
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "bench/cluster/coordinator_thread.h"
#include "runtime/client/job_submission.h"
#include "runtime/protocol/journal.pb.h"
#include "runtime/storage/content_hash.h"

extern char** environ;

namespace spillway {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint64_t kJobWaitMs = 1'000;
/// A line without words: a map that has nothing to say.
constexpr std::string_view kLine = " \n";
/// Before these are done, executors are still starting.
constexpr std::uint32_t kWarmUpTasks = 200;

struct Options {
  std::string spillway;
  std::string plugin;
  std::uint32_t tasks = 10'000;
  std::uint32_t workers = 2;
};

bool ParseArguments(int argc, char** argv, Options& options) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    const std::size_t equals = word.find('=');
    if (equals == std::string_view::npos) return false;
    const std::string_view name = word.substr(0, equals);
    const std::string value(word.substr(equals + 1));
    const auto number = static_cast<std::uint32_t>(std::strtoul(value.c_str(), nullptr, 10));
    if (name == "--spillway") {
      options.spillway = std::filesystem::absolute(value);
    } else if (name == "--plugin") {
      options.plugin = std::filesystem::absolute(value);
    } else if (name == "--tasks") {
      options.tasks = number;
    } else if (name == "--workers") {
      options.workers = number;
    } else {
      return false;
    }
  }
  return !options.spillway.empty() && !options.plugin.empty() && options.workers > 0 &&
         options.tasks > kWarmUpTasks;
}

/// `spillway worker` processes. Killed with their object: on SIGTERM they would drain, which takes
/// a coordinator that answers. What they leave lies in the benchmark's directory.
class WorkerProcesses {
 public:
  WorkerProcesses() = default;
  WorkerProcesses(const WorkerProcesses&) = delete;
  WorkerProcesses& operator=(const WorkerProcesses&) = delete;
  ~WorkerProcesses() {
    for (const pid_t pid : pids_) ::kill(pid, SIGKILL);
    for (const pid_t pid : pids_) ::waitpid(pid, nullptr, 0);
  }

  Status Start(const Options& options, const std::string& endpoint, const std::string& directory) {
    const std::string scratch = directory + "/worker-" + std::to_string(pids_.size());
    std::filesystem::create_directory(scratch);
    std::vector<std::string> words = {"spillway",
                                      "worker",
                                      "--coordinator=" + endpoint.substr(endpoint.find("//") + 2),
                                      "--insecure",
                                      "--slots=1",
                                      "--memory=256MiB",
                                      "--spill-dir=" + scratch,
                                      "--log=" + scratch + ".log"};
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    pid_t pid = 0;
    if (::posix_spawn(&pid, options.spillway.c_str(), nullptr, nullptr, argv.data(), environ) != 0)
      return NotFound("cannot start " + options.spillway);
    pids_.push_back(pid);
    return OkStatus();
  }

 private:
  std::vector<pid_t> pids_;
};

/// From the assignment of each map to its end, as the journal hears of them.
class TaskTimes {
 public:
  explicit TaskTimes(std::uint32_t tasks) : started_(tasks) {}

  void Watch(std::string_view bytes) {
    wire::JournalRecord record;
    if (!record.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return;
    const Clock::time_point now = Clock::now();
    if (record.has_started() && record.started().attempt().kind() == wire::MAP) {
      started_[record.started().attempt().task()] = now;
    } else if (record.has_map_done() && ++done_ > kWarmUpTasks) {
      if (done_ == kWarmUpTasks + 1) began_ = now;
      ended_ = now;
      const auto took = now - started_[record.map_done().attempt().task()];
      times_.Add(static_cast<std::uint64_t>(
          std::chrono::duration_cast<std::chrono::microseconds>(took).count()));
    }
  }

  const DurationHistogram& times() const { return times_; }
  double tasks_per_second() const {
    return static_cast<double>(times_.count()) /
           std::chrono::duration<double>(ended_ - began_).count();
  }

 private:
  std::vector<Clock::time_point> started_;
  std::uint32_t done_ = 0;
  Clock::time_point began_, ended_;
  DurationHistogram times_;
};

Result<wire::JobSpec> MakeSpec(const Options& options, const std::string& directory) {
  const std::string input = directory + "/input";
  std::ofstream file(input);
  for (std::uint32_t i = 0; i < options.tasks; ++i) file << kLine;
  file.close();
  wire::JobSpec spec;
  spec.set_name("empty");
  spec.set_user("bench");
  spec.set_submission_key(NewSubmissionKey());
  spec.mutable_plugin()->set_path(options.plugin);
  SPILLWAY_ASSIGN_OR_RETURN(*spec.mutable_plugin()->mutable_sha256(), FileSha256(options.plugin));
  spec.mutable_plugin()->set_bytes(std::filesystem::file_size(options.plugin));
  spec.add_inputs()->set_path(input);
  spec.mutable_inputs(0)->set_bytes(options.tasks * kLine.size());
  for (std::uint32_t map = 0; map < options.tasks; ++map) {
    wire::FileRange& range = *spec.add_maps()->add_ranges();
    range.set_offset(map * kLine.size());
    range.set_bytes(kLine.size());
    spec.mutable_maps(static_cast<int>(map))->set_bytes(kLine.size());
  }
  spec.set_parts(1);
  spec.set_output_dir(directory + "/output");
  spec.set_map_bytes_max(kLine.size());
  spec.set_input_bytes(options.tasks * kLine.size());
  return spec;
}

Status RunJob(const std::string& endpoint, const wire::JobSpec& spec) {
  SPILLWAY_ASSIGN_OR_RETURN(
      auto client, CoordinatorClient::Connect({.endpoint = endpoint}, [](const std::string&) {}));
  SPILLWAY_ASSIGN_OR_RETURN(const wire::Submitted submitted, UploadJob(*client, spec, {}));
  for (;;) {
    wire::Request request;
    request.mutable_job()->set_job_id(submitted.job_id());
    request.mutable_job()->set_wait_ms(kJobWaitMs);
    SPILLWAY_ASSIGN_OR_RETURN(const wire::Reply reply,
                              client->Call(std::move(request), {.answer_ms = kJobWaitMs}));
    if (!reply.job().ended()) continue;
    if (reply.job().status().code() == 0) return OkStatus();
    return InternalError("the job failed: " + reply.job().status().message());
  }
}

Status Run(const Options& options) {
  const BenchDirectory directory;
  TransportContext context;
  TaskTimes times(options.tasks);
  CoordinatorSetup setup = PlainSetup("tcp://127.0.0.1:0", directory.path());
  setup.watch = [&times](std::string_view record) { times.Watch(record); };
  SPILLWAY_ASSIGN_OR_RETURN(const auto coordinator, CoordinatorThread::Start(context, setup));
  WorkerProcesses workers;
  for (std::uint32_t i = 0; i < options.workers; ++i)
    SPILLWAY_RETURN_IF_ERROR(workers.Start(options, coordinator->endpoint(), directory.path()));
  SPILLWAY_ASSIGN_OR_RETURN(const wire::JobSpec spec, MakeSpec(options, directory.path()));
  SPILLWAY_RETURN_IF_ERROR(RunJob(coordinator->endpoint(), spec));
  SPILLWAY_RETURN_IF_ERROR(coordinator->Stop());

  const DurationHistogram& took = times.times();
  std::printf(
      "%u workers of one slot, %llu empty maps: p50 %llu us, p99 %llu us, longest %llu us; %.0f "
      "tasks/s\n",
      options.workers, static_cast<unsigned long long>(took.count()),
      static_cast<unsigned long long>(took.Percentile(0.5)),
      static_cast<unsigned long long>(took.Percentile(0.99)),
      static_cast<unsigned long long>(took.max_us()), times.tasks_per_second());
  std::printf(
      "{\"p50_ms\": %.3f, \"p99_ms\": %.3f, \"max_ms\": %.3f, \"tasks_per_second\": %.0f}\n",
      static_cast<double>(took.Percentile(0.5)) / 1e3,
      static_cast<double>(took.Percentile(0.99)) / 1e3, static_cast<double>(took.max_us()) / 1e3,
      times.tasks_per_second());
  return OkStatus();
}

int Main(int argc, char** argv) {
  Options options;
  if (!ParseArguments(argc, argv, options)) {
    std::fprintf(stderr,
                 "usage: empty_stage_bench --spillway=PROGRAM --plugin=FILE.so [--tasks=N] "
                 "[--workers=N]\n");
    return 64;
  }
  if (const Status status = Run(options); !status.ok()) {
    std::fprintf(stderr, "empty_stage_bench: %s\n", status.message().c_str());
    return 1;
  }
  return 0;
}

}  // namespace
}  // namespace spillway

int main(int argc, char** argv) { return spillway::Main(argc, argv); }
