#include "runtime/hadoop/streaming_job.h"

#include <unistd.h>

#include <boost/filesystem.hpp>
#include <chrono>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "runtime/hadoop/forwarding_child.h"
#include "runtime/hadoop/hadoop_exit.h"
#include "runtime/hadoop/hadoop_log.h"
#include "runtime/hadoop/streaming_command.h"
#include "runtime/hadoop/streaming_words.h"
#include "runtime/hadoop/task_directory.h"

namespace spillway {
namespace {

namespace fs = boost::filesystem;
using Json = nlohmann::json;

/// job_1764216000000_0042: the time, and a number that a second one of this millisecond lacks.
std::string MakeJobId() {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(
                      std::chrono::system_clock::now().time_since_epoch())
                      .count();
  char id[48];
  std::snprintf(id, sizeof id, "job_%lld_%04d", static_cast<long long>(ms),
                static_cast<int>(::getpid() % 10000));
  return id;
}

/// Spillway's volumes under Hadoop's names.
struct FrameworkCounter {
  const char* field;
  const char* group;
  const char* name;
};
constexpr const char* kFramework = "Map-Reduce Framework";
constexpr FrameworkCounter kFrameworkCounters[] = {
    {"input_records", kFramework, "Map input records"},
    {"map_output_records", kFramework, "Map output records"},
    {"map_output_bytes", kFramework, "Map output bytes"},
    {"output_records", kFramework, "Reduce output records"},
    {"shuffled_bytes", kFramework, "Reduce shuffle bytes"},
    {"maps", "Job Counters ", "Launched map tasks"},
    {"reduces", "Job Counters ", "Launched reduce tasks"},
    {"input_bytes", "File Input Format Counters ", "Bytes Read"},
    {"output_bytes", "File Output Format Counters ", "Bytes Written"},
};

std::int64_t Percent(const Json& event, const char* done, const char* total) {
  const std::int64_t all = event.value(total, std::int64_t{0});
  return all == 0 ? 0 : 100 * event.value(done, std::int64_t{0}) / all;
}

/// Tells of the events of `spillway run --json=events`.
class EventTeller {
 public:
  EventTeller(std::string job_id, HadoopLog& log) : job_id_(std::move(job_id)), log_(log) {}

  void Take(std::string_view line) {
    const Json event = Json::parse(line, nullptr, false);
    if (!event.is_object()) return;
    const std::string kind = event.value("event", "");
    if (kind == "plan") Start(event);
    if (kind == "progress") Progress(event);
    if (kind == "summary") Finish(event);
  }

 private:
  void Start(const Json& plan) {
    log_.Info("mapreduce.JobSubmitter",
              "number of splits:" + std::to_string(plan.value("maps", std::uint64_t{0})));
    log_.Info("mapreduce.Job", "Running job: " + job_id_);
  }

  void Progress(const Json& event) {
    std::string text = " map " + std::to_string(Percent(event, "maps_done", "maps_total")) +
                       "% reduce " +
                       std::to_string(Percent(event, "reduces_done", "reduces_total")) + "%";
    if (text != progress_) log_.Info("mapreduce.Job", text);
    progress_ = std::move(text);
  }

  void Finish(const Json& summary) {
    if (summary.value("exit_code", 1) != 0) {
      log_.Info("mapreduce.Job", "Job " + job_id_ + " failed with state FAILED");
      return;
    }
    log_.Info("mapreduce.Job", " map 100% reduce 100%");
    log_.Info("mapreduce.Job", "Job " + job_id_ + " completed successfully");
    HadoopLog::Counters counters;
    for (const FrameworkCounter& counter : kFrameworkCounters)
      counters[counter.group][counter.name] = summary.value(counter.field, std::uint64_t{0});
    const Json own = summary.value("counters", Json::object());
    for (const auto& [group, names] : own.items())
      for (const auto& [name, amount] : names.items())
        counters[group][name] += amount.get<std::uint64_t>();
    log_.ShowCounters(counters);
  }

  const std::string job_id_;
  HadoopLog& log_;
  std::string progress_;
};

int ExitCodeFor(const Status& status) {
  if (status.code() == Code::kInvalidArgument) return kHadoopUsage;
  if (status.code() == Code::kNotFound) return kHadoopNoInput;
  return kHadoopDisk;
}

Result<int> Run(const std::vector<std::string>& words, const HadoopPaths& paths,
                const std::string& spillway, HadoopLog& log) {
  SPILLWAY_ASSIGN_OR_RETURN(const StreamingWords job, ReadStreamingWords(words));
  StreamingPlaces places;
  SPILLWAY_ASSIGN_OR_RETURN(const HadoopPath output, paths.Find(job.output));
  SPILLWAY_ASSIGN_OR_RETURN(places.inputs, StreamingInputs(job, paths));
  boost::system::error_code error;
  places.output = fs::absolute(output.local).string();
  fs::create_directories(fs::path(places.output).parent_path(), error);
  places.directory = fs::current_path(error).string();
  std::unique_ptr<TaskDirectory> shipped;
  if (!job.files.empty() || !job.archives.empty()) {
    SPILLWAY_ASSIGN_OR_RETURN(shipped, TaskDirectory::Make(places.output, job, paths));
    places.directory = shipped->path();
    places.task_directory = shipped.get();
  }
  places.job_id = MakeJobId();
  SPILLWAY_ASSIGN_OR_RETURN(std::vector<std::string> command, StreamingCommand(job, places));
  command.insert(command.begin(), spillway);
  EventTeller teller(places.job_id, log);
  SPILLWAY_ASSIGN_OR_RETURN(
      const int exit_code,
      RunForwarding(command, [&teller](std::string_view line) { teller.Take(line); }));
  if (exit_code == 0) {
    const bool is_uri = output.shown.find("://") != std::string::npos;
    log.Info("streaming.StreamJob",
             "Output directory: " + (is_uri ? output.shown : "file://" + places.output));
  }
  return exit_code;
}

}  // namespace

int RunStreamingJob(const std::vector<std::string>& words, const HadoopPaths& paths,
                    const std::string& spillway, std::ostream& err) {
  HadoopLog log(err);
  const auto ended = Run(words, paths, spillway, log);
  if (!ended.ok()) log.Error("streaming.StreamJob", ended.status().message());
  const int exit_code = ended.ok() ? *ended : ExitCodeFor(ended.status());
  if (exit_code != 0) log.Plain("Streaming Command Failed!");
  return exit_code;
}

}  // namespace spillway
