// What one coordinator carries: a job of a million maps on ten thousand simulated workers, against
// the real loop with its real journal and sockets. In the middle of the job the coordinator is
// dropped and opened again from its journal.
//
//   coordinator_bench [--workers=N] [--slots=N] [--maps=N] [--reduces=N] [--transport=tcp|inproc]
//
// The last line of the output is the figures as a JSON object. Memory is that of coordinator and
// simulated workers together.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <map>
#include <string>
#include <string_view>

#include "bench/cluster/coordinator_thread.h"
#include "bench/cluster/simulated_workers.h"
#include "runtime/client/job_submission.h"

namespace spillway {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint64_t kMapBytes = 128 << 20;
constexpr std::uint32_t kFiles = 100;
constexpr std::uint64_t kHashBytes = 32;
constexpr std::uint64_t kJobWaitMs = 1'000;

double SecondsSince(Clock::time_point then) {
  return std::chrono::duration<double>(Clock::now() - then).count();
}

struct Options {
  SimulatedWorkersOptions workers;
  std::uint32_t maps = 1'000'000;
  std::uint32_t reduces = 2;
  std::string transport = "tcp";
};

bool ParseArguments(int argc, char** argv, Options& options) {
  const std::map<std::string_view, std::uint32_t*> numbers = {
      {"--workers", &options.workers.workers},
      {"--slots", &options.workers.slots},
      {"--maps", &options.maps},
      {"--reduces", &options.reduces}};
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    const std::size_t equals = word.find('=');
    if (equals == std::string_view::npos) return false;
    const std::string value(word.substr(equals + 1));
    if (word.substr(0, equals) == "--transport" && (value == "tcp" || value == "inproc")) {
      options.transport = value;
      continue;
    }
    const auto found = numbers.find(word.substr(0, equals));
    if (found == numbers.end()) return false;
    *found->second = static_cast<std::uint32_t>(std::strtoul(value.c_str(), nullptr, 10));
    if (*found->second == 0) return false;
  }
  options.workers.connections = std::min(options.workers.connections, options.workers.workers);
  return true;
}

wire::JobSpec MakeSpec(const Options& options, const std::string& directory) {
  wire::JobSpec spec;
  spec.set_name("million");
  spec.set_user("bench");
  spec.set_submission_key(NewSubmissionKey());
  spec.mutable_plugin()->set_path("/usr/lib/spillway/plugins/wordcount.so");
  spec.mutable_plugin()->set_sha256(std::string(kHashBytes, 'h'));
  for (std::uint32_t i = 0; i < kFiles; ++i) {
    wire::InputFile& file = *spec.add_inputs();
    file.set_path("/data/warehouse/events/day-" + std::to_string(20'260'000 + i) + "/part.log");
    file.set_bytes(std::uint64_t{options.maps / kFiles + 1} * kMapBytes);
    file.set_inode(1'000 + i);
    file.set_mtime_ns(1'700'000'000'000'000'000);
  }
  for (std::uint32_t map = 0; map < options.maps; ++map) {
    wire::MapInput& input = *spec.add_maps();
    input.set_bytes(kMapBytes);
    wire::FileRange& range = *input.add_ranges();
    range.set_file_index(map % kFiles);
    range.set_offset(std::uint64_t{map / kFiles} * kMapBytes);
    range.set_bytes(kMapBytes);
  }
  spec.set_parts(options.reduces);
  spec.set_output_dir(directory + "/output");
  spec.mutable_limits()->set_attempts_max(4);
  spec.mutable_limits()->set_speculate(true);
  spec.set_map_bytes_max(kMapBytes);
  spec.set_input_bytes(options.maps * kMapBytes);
  return spec;
}

Result<std::string> Submit(const Options& options, const std::string& endpoint,
                           const std::string& directory) {
  SPILLWAY_ASSIGN_OR_RETURN(
      auto client, CoordinatorClient::Connect({.endpoint = endpoint}, [](const std::string&) {}));
  SPILLWAY_ASSIGN_OR_RETURN(const wire::Submitted submitted,
                            UploadJob(*client, MakeSpec(options, directory), {}));
  return submitted.job_id();
}

Result<wire::JobState> WaitForEnd(const std::string& endpoint, const std::string& job_id) {
  SPILLWAY_ASSIGN_OR_RETURN(
      auto client, CoordinatorClient::Connect({.endpoint = endpoint}, [](const std::string&) {}));
  for (;;) {
    wire::Request request;
    request.mutable_job()->set_job_id(job_id);
    request.mutable_job()->set_wait_ms(kJobWaitMs);
    SPILLWAY_ASSIGN_OR_RETURN(const wire::Reply reply,
                              client->Call(std::move(request), {.answer_ms = kJobWaitMs}));
    if (reply.job().ended()) return reply.job();
  }
}

struct Figures {
  double submit_s = 0;
  double tasks_per_second = 0;
  double cpu_us_per_task = 0;
  DurationHistogram turn_us, turn_cpu_us;
  double recover_open_s = 0;    ///< The journal is read and the socket is bound.
  double recover_flow_s = 0;    ///< The first map was started.
  double recover_steady_s = 0;  ///< As many were started as there are slots.
  double tasks_per_second_after = 0;
  DurationHistogram turn_us_after, turn_cpu_us_after;
};

/// The benchmark's life: what is needed from one phase to the next.
class Bench {
 public:
  explicit Bench(const Options& options) : options_(options), workers_(context_, options.workers) {
    const bool tcp = options.transport == "tcp";
    setup_ = PlainSetup(tcp ? "tcp://127.0.0.1:0" : "inproc://coordinator", directory_.path());
  }

  Status Run() {
    SPILLWAY_RETURN_IF_ERROR(Begin());
    SPILLWAY_RETURN_IF_ERROR(RunHalf());
    SPILLWAY_RETURN_IF_ERROR(Recover());
    return Finish();
  }

  const Figures& figures() const { return figures_; }

 private:
  /// A client's call on a thread of its own; workers must go on meanwhile.
  template <class Call>
  auto Meanwhile(Call&& call) -> decltype(call()) {
    auto answer = std::async(std::launch::async, std::forward<Call>(call));
    while (answer.wait_for(std::chrono::seconds(0)) != std::future_status::ready)
      SPILLWAY_RETURN_IF_ERROR(workers_.Turn());
    return answer.get();
  }

  Status Begin() {
    SPILLWAY_ASSIGN_OR_RETURN(coordinator_, CoordinatorThread::Start(context_, setup_));
    SPILLWAY_RETURN_IF_ERROR(workers_.Connect(coordinator_->endpoint()));
    while (workers_.registered() < options_.workers.workers)
      SPILLWAY_RETURN_IF_ERROR(workers_.Turn());
    const auto began = Clock::now();
    SPILLWAY_ASSIGN_OR_RETURN(job_id_, Meanwhile([endpoint = EndpointForClients(), this] {
                                return Submit(options_, endpoint, directory_.path());
                              }));
    figures_.submit_s = SecondsSince(began);
    return OkStatus();
  }

  Status RunHalf() {
    while (workers_.maps_started() == 0) SPILLWAY_RETURN_IF_ERROR(workers_.Turn());
    const auto began = Clock::now();
    const std::uint64_t before = workers_.maps_started();
    while (workers_.maps_started() < options_.maps / 2) SPILLWAY_RETURN_IF_ERROR(workers_.Turn());
    const auto tasks = static_cast<double>(workers_.maps_started() - before);
    figures_.tasks_per_second = tasks / SecondsSince(began);
    SPILLWAY_RETURN_IF_ERROR(coordinator_->Stop());
    figures_.turn_us = coordinator_->stats().turn_us;
    figures_.turn_cpu_us = coordinator_->stats().turn_cpu_us;
    figures_.cpu_us_per_task = coordinator_->cpu_s() * 1e6 / tasks;
    return OkStatus();
  }

  Status Recover() {
    coordinator_.reset();
    workers_.Disconnect();
    const std::uint64_t before = workers_.maps_started();
    const std::uint64_t slots = std::uint64_t{options_.workers.workers} * options_.workers.slots;
    const auto began = Clock::now();
    SPILLWAY_ASSIGN_OR_RETURN(coordinator_, CoordinatorThread::Start(context_, setup_));
    figures_.recover_open_s = SecondsSince(began);
    SPILLWAY_RETURN_IF_ERROR(workers_.Connect(coordinator_->endpoint()));
    while (workers_.maps_started() == before) SPILLWAY_RETURN_IF_ERROR(workers_.Turn());
    figures_.recover_flow_s = SecondsSince(began);
    const std::uint64_t steady = before + std::min<std::uint64_t>(slots, options_.maps / 4);
    while (workers_.maps_started() < steady) SPILLWAY_RETURN_IF_ERROR(workers_.Turn());
    figures_.recover_steady_s = SecondsSince(began);
    return OkStatus();
  }

  Status Finish() {
    const auto began = Clock::now();
    const std::uint64_t before = workers_.maps_started();
    while (workers_.parts_written() == 0) SPILLWAY_RETURN_IF_ERROR(workers_.Turn());
    figures_.tasks_per_second_after =
        static_cast<double>(workers_.maps_started() - before) / SecondsSince(began);
    SPILLWAY_ASSIGN_OR_RETURN(const wire::JobState state,
                              Meanwhile([endpoint = EndpointForClients(), this] {
                                return WaitForEnd(endpoint, job_id_);
                              }));
    if (state.status().code() != 0) return InternalError("the job: " + state.status().message());
    if (state.maps_done() != options_.maps) return InternalError("not all maps were done");
    SPILLWAY_RETURN_IF_ERROR(coordinator_->Stop());
    figures_.turn_us_after = coordinator_->stats().turn_us;
    figures_.turn_cpu_us_after = coordinator_->stats().turn_cpu_us;
    coordinator_.reset();
    return OkStatus();
  }

  std::string EndpointForClients() const { return coordinator_->endpoint(); }

  const Options options_;
  const BenchDirectory directory_;
  TransportContext context_{2};
  CoordinatorSetup setup_;
  SimulatedWorkers workers_;
  std::unique_ptr<CoordinatorThread> coordinator_;
  std::string job_id_;
  Figures figures_;
};

void Print(const Options& options, const Figures& figures) {
  const auto ms = [](std::uint64_t us) { return static_cast<double>(us) / 1e3; };
  std::printf("%u workers of %u slots, %u maps, %u reduces, over %s\n", options.workers.workers,
              options.workers.slots, options.maps, options.reduces, options.transport.c_str());
  std::printf("submitted in %.2f s\n", figures.submit_s);
  std::printf("first half: %.0f tasks/s, %.1f us of the coordinator's thread for each\n",
              figures.tasks_per_second, figures.cpu_us_per_task);
  const auto turns = [&](const char* what, const DurationHistogram& turn_us) {
    std::printf("%s: %llu turns, p50 %.2f ms, p99 %.2f ms, p99.9 %.2f ms, longest %.1f ms\n", what,
                static_cast<unsigned long long>(turn_us.count()), ms(turn_us.Percentile(0.5)),
                ms(turn_us.Percentile(0.99)), ms(turn_us.Percentile(0.999)), ms(turn_us.max_us()));
  };
  turns("first half", figures.turn_us);
  turns("  processor time", figures.turn_cpu_us);
  std::printf("recovery: journal read after %.2f s, first task %.2f s, all slots %.2f s\n",
              figures.recover_open_s, figures.recover_flow_s, figures.recover_steady_s);
  std::printf("second half: %.0f tasks/s\n", figures.tasks_per_second_after);
  turns("second half", figures.turn_us_after);
  turns("  processor time", figures.turn_cpu_us_after);
  std::printf(
      "{\"tasks_per_second\": %.0f, \"tasks_per_second_after\": %.0f, \"cpu_us_per_task\": %.2f, "
      "\"turn_p50_ms\": %.3f, \"turn_p99_ms\": %.3f, \"turn_max_ms\": %.1f, "
      "\"turn_cpu_p99_ms\": %.3f, \"recovery_s\": %.2f, \"peak_rss_bytes\": %llu}\n",
      figures.tasks_per_second, figures.tasks_per_second_after, figures.cpu_us_per_task,
      ms(figures.turn_us.Percentile(0.5)), ms(figures.turn_us.Percentile(0.99)),
      ms(figures.turn_us.max_us()), ms(figures.turn_cpu_us.Percentile(0.99)),
      figures.recover_steady_s, static_cast<unsigned long long>(PeakResidentBytes()));
}

int Main(int argc, char** argv) {
  Options options;
  if (!ParseArguments(argc, argv, options)) {
    std::fprintf(stderr,
                 "usage: coordinator_bench [--workers=N] [--slots=N] [--maps=N] [--reduces=N] "
                 "[--transport=tcp|inproc]\n");
    return 64;
  }
  Bench bench(options);
  if (const Status status = bench.Run(); !status.ok()) {
    std::fprintf(stderr, "coordinator_bench: %s\n", status.message().c_str());
    return 1;
  }
  Print(options, bench.figures());
  return 0;
}

}  // namespace
}  // namespace spillway

int main(int argc, char** argv) { return spillway::Main(argc, argv); }
