// Stands in for the embedded runner and the shell, so that the command is tested alone: what it
// asks for, what it prints and how it exits.
#pragma once

#include <functional>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "runtime/cli/shell.h"
#include "runtime/cli/spillway_command.h"

namespace spillway {

inline JobPlan SamplePlan() {
  JobPlan plan;
  plan.job_name = "wordcount";
  plan.plugin_path = "/opt/spillway/plugins/wordcount.so";
  plan.mapper_name = "WordMapper";
  plan.reducer_name = "Sum";
  plan.input_name = "TextLines";
  plan.output_name = "TextOutput";
  plan.shuffle = "fold";
  for (std::uint64_t i = 0; i < 8; ++i)
    plan.splits.push_back({"books/all.txt", i * (128 << 20), 128 << 20});
  plan.maps = 8;
  plan.input_files = 1;
  plan.input_bytes = std::uint64_t{1} << 30;
  plan.partitions = 4;
  plan.threads = 2;
  plan.memory_bytes = std::uint64_t{2} << 30;
  plan.task_memory_bytes = 512 << 20;
  plan.segment_memory_bytes = 800 << 20;
  plan.scratch_bytes_needed = 300 << 20;
  plan.scratch = {{"/scratch/a", std::uint64_t{20} << 30}};
  plan.reasons = {{"reducers", "4: two for each thread"},
                  {"memory", "2 GiB: 60 % of what the machine gives"}};
  return plan;
}

inline JobReport SampleReport() {
  JobReport report;
  report.job_id = "wordcount-1";
  report.job_name = "wordcount";
  report.output_dir = "out";
  report.maps = 8;
  report.reduces = 4;
  report.combines = 8;
  report.joined_partitions = 2;
  report.input_records = 1'000'000;
  report.input_bytes = std::uint64_t{1} << 30;
  report.map_output_records = 155'000'000;
  report.map_output_bytes = std::uint64_t{2} << 30;
  report.segment_records = 4'000'000;
  report.spills = 14;
  report.spilled_bytes = 120 << 20;
  report.shuffled_bytes = 110 << 20;
  report.output_records = 500'000;
  report.output_bytes = 8 << 20;
  report.partition_output_bytes = {2 << 20, 2 << 20, 1 << 20, 3 << 20};
  report.skew.reduces = 4;
  report.skew.heavy_keys = {{"the", 3, 18'600'000, 120 << 20, 0.12},
                            {"of", 2, 9'400'000, 60 << 20, 0.0606}};
  report.skew.partitions = {{20 << 20, 900'000, 200'000},
                            {26 << 20, 1'000'000, 250'000},
                            {24 << 20, 1'100'000, 210'000},
                            {40 << 20, 1'000'000, 290'000, 8}};
  report.skew.hottest = 3;
  report.skew.hottest_key = {"the", 3, 8, 0, 0.000008};
  report.peak_rss_bytes = 300 << 20;
  report.prepare_ms = 10;
  report.map_ms = 900;
  report.reduce_ms = 300;
  report.commit_ms = 20;
  report.total_ms = 1'230;
  report.cpu_seconds = 2.25;
  report.counters = {{"words", {{"capitalised", 1'234}, {"total", 155'000'000}}}};
  report.warnings = {"one block of map 3 was damaged and read again"};
  return report;
}

/// Answers what it was given; `on_run` may act in between.
class FakeRunner : public JobRunner {
 public:
  FakeRunner(JobPlan plan, JobReport report, std::function<void(FakeRunner&)> on_run)
      : plan_(std::move(plan)), report_(std::move(report)), on_run_(std::move(on_run)) {}

  const JobPlan& plan() const override { return plan_; }
  JobReport Run() override {
    if (on_run_) on_run_(*this);
    if (cancelled_) report_.status = Cancelled("the job was cancelled. No output was written.");
    return report_;
  }
  void Cancel() override { cancelled_ = 1; }
  JobProgress progress() const override { return {}; }

  bool cancelled() const { return cancelled_ != 0; }

 private:
  JobPlan plan_;
  JobReport report_;
  std::function<void(FakeRunner&)> on_run_;
  volatile int cancelled_ = 0;  // Cancel comes from a signal handler on this very thread.
};

/// A job on a cluster that is accepted as "20261126-183000-0001", or not.
class FakeRemoteRunner : public RemoteRunner {
 public:
  FakeRemoteRunner(JobPlan plan, JobReport report, Status submit_status,
                   std::function<void()> on_run)
      : plan_(std::move(plan)),
        report_(std::move(report)),
        submit_status_(std::move(submit_status)),
        on_run_(std::move(on_run)) {}

  const JobPlan& plan() const override { return plan_; }
  Result<AcceptedJob> Submit() override {
    if (!submit_status_.ok()) return submit_status_;
    return AcceptedJob{"20261126-183000-0001", false};
  }
  JobReport Run() override {
    on_run_();
    JobReport report = submit_status_.ok() ? report_ : JobReport();
    if (!submit_status_.ok()) report.status = submit_status_;
    return report;
  }
  void Cancel() override {}
  JobProgress progress() const override { return {}; }

 private:
  const JobPlan plan_;
  const JobReport report_;
  const Status submit_status_;
  const std::function<void()> on_run_;
};

class FakeCoordinator : public CoordinatorCalls {
 public:
  explicit FakeCoordinator(std::function<Result<wire::Reply>(const wire::Request&)> answer)
      : answer_(std::move(answer)) {}
  Result<wire::Reply> Call(wire::Request request, const CallOptions&) override {
    return answer_(request);
  }

 private:
  const std::function<Result<wire::Reply>(const wire::Request&)> answer_;
};

/// One run of the command with everything around it replaced.
struct CommandBench {
  EnvironmentMap environment;
  std::vector<std::string> config_paths;
  std::string plugin_dir = "/nowhere";
  bool err_is_terminal = false;
  JobPlan plan = SamplePlan();
  JobReport report = SampleReport();
  Status prepare_status;
  std::function<void(FakeRunner&)> on_run;

  std::string out, err;              ///< What the last Run printed.
  std::vector<JobRequest> requests;  ///< What the runner was asked for.
  int runs = 0;

  Status submit_status;
  std::vector<RemoteOptions> submissions;  ///< What the cluster's runner was asked for.
  std::vector<ClientOptions> dialled;
  std::vector<wire::Request> asked;
  std::function<Result<wire::Reply>(const wire::Request&)> answer;  ///< The coordinator's part.
  std::vector<CoordinatorOptions> coordinators;
  std::vector<WorkerOptions> workers;
  Status daemon_end;  ///< What the daemons answer.

  int Run(const std::vector<std::string>& words) {
    std::ostringstream out_stream, err_stream;
    const Shell shell = {
        .out = out_stream,
        .err = err_stream,
        .err_is_terminal = err_is_terminal,
        .columns = [] { return std::size_t{80}; },
        .environment = environment,
        .config_paths = config_paths,
        .plugin_dir = plugin_dir,
        .prepare = [this](const JobRequest& request) { return Prepare(request); },
        .prepare_remote = [this](const JobRequest& request,
                                 RemoteOptions options) { return PrepareRemote(request, options); },
        .dial = [this](const ClientOptions& coordinator, WaitNote) { return Dial(coordinator); },
        .inspect = [](const std::string& path) { return Inspect(path); },
        .unix_ms = [] { return std::uint64_t{1'800'000'000'000}; },
        .host_name = [] { return std::string("node7"); },
        .coordinator = [this](const CoordinatorOptions& options) -> Status {
          coordinators.push_back(options);
          return daemon_end;
        },
        .worker = [this](const WorkerOptions& options) -> Status {
          workers.push_back(options);
          return daemon_end;
        },
    };
    const int exit_code = RunSpillway(words, shell);
    out = out_stream.str();
    err = err_stream.str();
    return exit_code;
  }

 private:
  Result<std::unique_ptr<JobRunner>> Prepare(const JobRequest& request) {
    requests.push_back(request);
    if (!prepare_status.ok()) return prepare_status;
    return std::unique_ptr<JobRunner>(
        std::make_unique<FakeRunner>(plan, report, [this](FakeRunner& runner) {
          ++runs;
          if (on_run) on_run(runner);
        }));
  }

  Result<std::unique_ptr<RemoteRunner>> PrepareRemote(const JobRequest& request,
                                                      const RemoteOptions& options) {
    requests.push_back(request);
    submissions.push_back(options);
    if (!prepare_status.ok()) return prepare_status;
    JobPlan remote_plan = plan;
    remote_plan.coordinator = options.coordinator;
    return std::unique_ptr<RemoteRunner>(
        std::make_unique<FakeRemoteRunner>(remote_plan, report, submit_status, [this] { ++runs; }));
  }

  Result<std::unique_ptr<CoordinatorCalls>> Dial(const ClientOptions& coordinator) {
    dialled.push_back(coordinator);
    return std::unique_ptr<CoordinatorCalls>(
        std::make_unique<FakeCoordinator>([this](const wire::Request& request) {
          asked.push_back(request);
          return answer(request);
        }));
  }

  static Result<PluginDescription> Inspect(const std::string& path) {
    if (path.find("broken") != std::string::npos)
      return BadData(path + ": built for plugin ABI 7, but this is 1. Build it again.");
    PluginDescription plugin;
    plugin.path = path;
    plugin.name = path.substr(path.rfind('/') + 1);
    plugin.summary = "a sample job";
    plugin.usage = path.find("grep") != std::string::npos ? "PATTERN" : "";
    plugin.sdk_version = "0.1.0";
    plugin.compiler = "g++ 12.2.0";
    plugin.abi_version = 1;
    return plugin;
  }
};

}  // namespace spillway
