#include "runtime/cli/job_state_text.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "mapreduce/base/units.h"
#include "runtime/cli/progress_estimate.h"
#include "runtime/cli/quantity_text.h"
#include "runtime/cli/skew_text.h"
#include "runtime/cli/text_table.h"
#include "runtime/client/job_submission.h"
#include "runtime/local/job_report.h"
#include "runtime/protocol/wire_values.h"

namespace spillway {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kLabelColumns = 11;

std::string Label(std::string label) {
  label.resize(std::max(kLabelColumns, label.size() + 1), ' ');
  return "  " + label;
}

std::string Shown(const std::string& text) { return EscapeForLog(text, 200); }

std::string Of(std::uint32_t done, std::uint32_t total) {
  return std::to_string(done) + "/" + std::to_string(total);
}

std::string TasksLine(const char* label, std::uint32_t done, std::uint32_t total,
                      std::uint32_t running) {
  std::string text = Label(label) + Of(done, total) + " done";
  if (running > 0) text += ", " + std::to_string(running) + " running";
  return text + "\n";
}

std::string WorkerWord(const wire::WorkerState& worker) {
  if (worker.set_aside()) return "set aside";
  return worker.draining() ? "draining" : "working";
}

std::string Line(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json JobJson(const wire::JobState& job) {
  const Status status = FromWire(job.status());
  Json json;
  json["job_id"] = job.job_id();
  json["job_name"] = job.name();
  json["user"] = job.user();
  json["submission_key"] = job.submission_key();
  json["state"] = JobStateWord(job);
  json["ended"] = job.ended();
  json["status"] = job.ended() ? CodeName(status.code()) : "";
  json["message"] = status.message();
  json["output_dir"] = job.output_dir();
  json["priority"] = job.weight();
  json["maps_done"] = job.maps_done();
  json["maps_running"] = job.maps_running();
  json["maps_total"] = job.maps_total();
  json["reduces_done"] = job.reduces_done();
  json["reduces_running"] = job.reduces_running();
  json["reduces_total"] = job.reduces_total();
  json["combines_done"] = job.combines_done();
  json["combines_running"] = job.combines_running();
  json["combines_total"] = job.combines_total();
  json["joined_partitions"] = job.joined_partitions();
  json["input_bytes_read"] = job.input_bytes_read();
  json["input_bytes_total"] = job.input_bytes();
  json["spilled_bytes"] = job.stats().spilled_bytes();
  json["shuffled_bytes"] = job.stats().shuffled_bytes();
  json["fetched_bytes"] = job.stats().fetched_bytes();
  json["output_records"] = job.stats().output_records();
  json["output_bytes"] = job.output_bytes();
  json["attempts_started"] = job.attempts_started();
  json["attempts_failed"] = job.attempts_failed();
  json["maps_rerun"] = job.maps_rerun();
  json["maps_placed"] = job.maps_placed();
  json["maps_at_place"] = job.maps_at_place();
  json["records_skipped"] = job.records_skipped();
  json["submitted_unix_ms"] = job.submitted_unix_ms();
  json["elapsed_ms"] = job.elapsed_ms();
  json["warnings"] = std::vector<std::string>(job.warnings().begin(), job.warnings().end());
  return json;
}

}  // namespace

std::string JobStateWord(const wire::JobState& job) {
  if (job.ended()) {
    const Code code = FromWire(job.status()).code();
    if (code == Code::kOk) return "done";
    return code == Code::kCancelled ? "killed" : "failed";
  }
  if (job.killing()) return "stopping";
  return std::string(PhaseName(ProgressOf(job).phase));
}

std::string JobListText(const wire::JobStates& jobs, std::uint64_t now_unix_ms) {
  if (jobs.jobs().empty()) return "no jobs\n";
  std::vector<std::vector<std::string>> rows = {
      {"ID", "STATE", "MAPS", "REDUCES", "AGE", "USER", "NAME"}};
  for (const wire::JobState& job : jobs.jobs()) {
    const std::uint64_t age_ms =
        now_unix_ms - std::min<std::uint64_t>(now_unix_ms, job.submitted_unix_ms());
    rows.push_back({Shown(job.job_id()), JobStateWord(job), Of(job.maps_done(), job.maps_total()),
                    Of(job.reduces_done(), job.reduces_total()), FormatWholeDuration(age_ms),
                    Shown(job.user()), Shown(job.name())});
  }
  return TextTable(rows);
}

std::string JobStatusText(const wire::JobState& job) {
  std::string text = "Job " + Shown(job.job_id()) + ": " + JobStateWord(job) + " after " +
                     FormatDuration(job.elapsed_ms()) + "\n";
  text += Label("name") + Shown(job.name()) + ", of " + Shown(job.user()) + ", priority " +
          std::to_string(job.weight()) + "\n";
  if (!job.submission_key().empty() && !job.submission_key().starts_with(kOwnKeyPrefix))
    text += Label("key") + Shown(job.submission_key()) + "\n";
  text += Label("output") + Shown(job.output_dir()) + "\n";
  text += TasksLine("maps", job.maps_done(), job.maps_total(), job.maps_running());
  if (job.maps_placed() > 0)
    text += Label("placed") + Of(job.maps_at_place(), job.maps_placed()) +
            " attempts of maps began where their input lies\n";
  if (job.combines_total() > 0)
    text +=
        TasksLine("combines", job.combines_done(), job.combines_total(), job.combines_running());
  text += TasksLine("reduces", job.reduces_done(), job.reduces_total(), job.reduces_running());
  text += Label("input") + FormatBytes(job.input_bytes_read()) + " of " +
          FormatBytes(job.input_bytes()) + "\n";
  const SkewReport skew = SkewOf(job);
  const std::string keys = HeavyKeysText(skew.heavy_keys, skew.reduces);
  if (!keys.empty()) text += Label("heaviest") + keys + " of the map output\n";
  text += Label("shuffled") + FormatBytes(job.stats().shuffled_bytes()) + ", of these " +
          FormatBytes(job.stats().fetched_bytes()) + " between hosts; spilled " +
          FormatBytes(job.stats().spilled_bytes()) + "\n";
  if (const std::string reduced = PartitionsText(skew); !reduced.empty())
    text += Label("reduced") + reduced + "\n";
  if (const std::string waiting = WaitingPartitionsText(skew); !waiting.empty())
    text += Label("to reduce") + waiting + "\n";
  text += PartitionTable(skew);
  if (const std::string split = SplitText(skew, job.combines_total()); !split.empty())
    text += Label("split") + split + "\n";
  if (const std::string joined = JoinedText(job.joined_partitions(), job.reduces_total());
      !joined.empty())
    text += Label("joined") + joined + "\n";
  text += Label("time") + "prepare " + FormatDuration(job.prepare_ms()) + ", map " +
          FormatDuration(job.map_ms()) + ", reduce " + FormatDuration(job.reduce_ms()) +
          ", commit " + FormatDuration(job.commit_ms()) + "\n";
  text += Label("attempts") + FormatCount(job.attempts_started()) + ", " +
          FormatCount(job.attempts_failed()) + " failed, " + FormatNoun(job.maps_rerun(), "map") +
          " run again\n";
  if (job.records_skipped() > 0)
    text += Label("skipped") + FormatNoun(job.records_skipped(), "bad record") + "\n";
  if (const std::string hint = SkewHint(skew); !hint.empty()) text += "  hint: " + hint + "\n";
  for (const std::string& warning : job.warnings())
    text += "  warning: " + EscapeForLog(warning, 1'000) + "\n";
  if (job.ended() && !job.status().message().empty())
    text += "  failure: " + EscapeForLog(job.status().message(), 2'000) + "\n";
  return text;
}

std::string ClusterText(const wire::ClusterState& cluster, const std::string& endpoint) {
  std::string text = "Coordinator " + endpoint + ": Spillway " + Shown(cluster.version()) +
                     ", start " + std::to_string(cluster.coordinator_epoch()) + ", " +
                     FormatNoun(cluster.jobs(), "job") + "\n";
  std::uint64_t slots = 0, taken = 0, memory = 0;
  std::vector<std::vector<std::string>> rows = {
      {"WORKER", "HOST", "RACK", "SLOTS", "RESIDENT", "MEMORY", "DISK FREE", "STATE"}};
  for (const wire::WorkerState& worker : cluster.workers()) {
    slots += worker.slots();
    taken += worker.slots_taken();
    memory += worker.memory_bytes();
    rows.push_back({Shown(worker.name()), Shown(worker.host()),
                    worker.rack().empty() ? "-" : Shown(worker.rack()),
                    Of(worker.slots_taken(), worker.slots()), FormatBytes(worker.resident_bytes()),
                    FormatBytes(worker.memory_bytes()), FormatBytes(worker.spill_free_bytes()),
                    WorkerWord(worker)});
  }
  text += FormatNoun(static_cast<std::uint64_t>(cluster.workers_size()), "worker") + ", " +
          std::to_string(taken) + " of " + FormatNoun(slots, "slot") + " taken, " +
          FormatBytes(memory) + " of memory\n";
  return rows.size() == 1 ? text : text + TextTable(rows);
}

std::string JobListJson(const wire::JobStates& jobs) {
  Json json;
  json["jobs"] = Json::array();
  for (const wire::JobState& job : jobs.jobs()) json["jobs"].push_back(JobJson(job));
  return Line(json);
}

std::string JobStatusJson(const wire::JobState& job) {
  Json json = JobJson(job);
  AddSkewJson(SkewOf(job), &json);
  return Line(json);
}

std::string ClusterJson(const wire::ClusterState& cluster, const std::string& endpoint) {
  Json json;
  json["endpoint"] = endpoint;
  json["version"] = cluster.version();
  json["coordinator_epoch"] = cluster.coordinator_epoch();
  json["jobs"] = cluster.jobs();
  json["workers"] = Json::array();
  for (const wire::WorkerState& worker : cluster.workers())
    json["workers"].push_back({{"worker", worker.worker()},
                               {"name", worker.name()},
                               {"host", worker.host()},
                               {"rack", worker.rack()},
                               {"state", WorkerWord(worker)},
                               {"slots", worker.slots()},
                               {"slots_taken", worker.slots_taken()},
                               {"memory_bytes", worker.memory_bytes()},
                               {"resident_bytes", worker.resident_bytes()},
                               {"spill_free_bytes", worker.spill_free_bytes()},
                               {"pid", worker.pid()}});
  return Line(json);
}

}  // namespace spillway
