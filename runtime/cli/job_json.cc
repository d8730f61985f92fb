#include "runtime/cli/job_json.h"

#include <nlohmann/json.hpp>

#include "runtime/cli/plan_text.h"
#include "runtime/cli/progress_estimate.h"
#include "runtime/cli/skew_text.h"

namespace spillway {
namespace {

using Json = nlohmann::ordered_json;

std::string Line(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json SplitsJson(const JobPlan& plan) {
  Json splits = Json::array();
  for (const PlannedSplit& split : plan.splits)
    splits.push_back({{"path", split.path}, {"offset", split.offset}, {"bytes", split.bytes}});
  return splits;
}

Json ScratchJson(const JobPlan& plan) {
  Json scratch = Json::array();
  for (const ScratchForecast& forecast : plan.scratch)
    scratch.push_back({{"directory", forecast.directory}, {"free_bytes", forecast.free_bytes}});
  return scratch;
}

void AddVolumes(const JobReport& report, Json* json) {
  Json& j = *json;
  j["maps"] = report.maps;
  j["reduces"] = report.reduces;
  j["combines"] = report.combines;
  j["joined_partitions"] = report.joined_partitions;
  j["attempts_failed"] = report.attempts_failed;
  j["maps_rerun"] = report.maps_rerun;
  j["input_records"] = report.input_records;
  j["input_bytes"] = report.input_bytes;
  j["map_output_records"] = report.map_output_records;
  j["map_output_bytes"] = report.map_output_bytes;
  j["segment_records"] = report.segment_records;
  j["spills"] = report.spills;
  j["spilled_bytes"] = report.spilled_bytes;
  j["shuffled_bytes"] = report.shuffled_bytes;
  j["output_records"] = report.output_records;
  j["output_bytes"] = report.output_bytes;
  j["read_bytes"] = report.read_bytes;
  j["written_bytes"] = report.written_bytes;
  j["records_skipped"] = report.records_skipped;
}

void AddSkew(const JobReport& report, Json* json) {
  const Skew skew = MeasureSkew(report.partition_output_bytes);
  (*json)["partition_output_bytes"] = report.partition_output_bytes;
  (*json)["skew"] = {
      {"largest_bytes", skew.largest}, {"median_bytes", skew.median}, {"ratio", skew.ratio}};
  AddSkewJson(report.skew, json);
}

void AddLoop(const LoopReport& loop, Json* json) {
  (*json)["mode"] = loop.mode;
  (*json)["rounds"] = loop.rounds;
  (*json)["converged"] = loop.converged;
  (*json)["resumed_round"] = loop.resumed_round;
  (*json)["start_seconds"] = loop.start_seconds;
  (*json)["iteration_seconds"] = loop.iteration_seconds;
}

}  // namespace

std::string PlanJson(const JobPlan& plan, bool explain) {
  Json json;
  json["event"] = "plan";
  json["job_name"] = plan.job_name;
  json["plugin_path"] = plan.plugin_path;
  json["coordinator"] = plan.coordinator;
  json["mapper_name"] = plan.mapper_name;
  json["reducer_name"] = plan.reducer_name;
  json["input_name"] = plan.input_name;
  json["output_name"] = plan.output_name;
  json["writes_directories"] = plan.writes_directories;
  json["shuffle"] = plan.shuffle;
  json["input_files"] = plan.input_files;
  json["input_bytes"] = plan.input_bytes;
  json["compressed_files"] = plan.archives;
  json["compressed_files_split"] = plan.archives_split;
  json["partitions_read"] = plan.partitions_read;
  json["partitions_passed_over"] = plan.partitions_passed_over;
  json["maps"] = plan.maps;
  json["partitions"] = plan.partitions;
  json["threads"] = plan.threads;
  json["memory_bytes"] = plan.memory_bytes;
  json["task_memory_bytes"] = plan.task_memory_bytes;
  json["segment_memory_bytes"] = plan.segment_memory_bytes;
  json["scratch_bytes_needed"] = plan.scratch_bytes_needed;
  json["scratch"] = ScratchJson(plan);
  json["splits"] = SplitsJson(plan);
  json["warnings"] = PlanWarnings(plan);
  if (explain) {
    json["reasons"] = Json::array();
    for (const auto& [setting, reason] : plan.reasons)
      json["reasons"].push_back({{"setting", setting}, {"reason", reason}});
  }
  return Line(json);
}

std::string ProgressJson(const JobProgress& progress) {
  Json json;
  json["event"] = "progress";
  if (!progress.stage.empty()) json["stage"] = progress.stage;
  if (progress.rounds_max > 0) {
    json["round"] = progress.round;
    json["rounds_max"] = progress.rounds_max;
  }
  json["phase"] = PhaseName(progress.phase);
  json["maps_done"] = progress.maps_done;
  json["maps_total"] = progress.maps_total;
  json["reduces_done"] = progress.reduces_done;
  json["reduces_total"] = progress.reduces_total;
  json["combines_done"] = progress.combines_done;
  json["combines_total"] = progress.combines_total;
  json["input_bytes_read"] = progress.input_bytes_read;
  json["input_bytes_total"] = progress.input_bytes_total;
  json["spilled_bytes"] = progress.spilled_bytes;
  json["shuffled_bytes"] = progress.shuffled_bytes;
  json["elapsed_ms"] = progress.elapsed_ms;
  json["heavy_keys"] = HeavyKeysJson(progress.heavy_keys);
  return Line(json);
}

std::string SummaryJson(const JobReport& report, int exit_code) {
  Json json;
  json["event"] = "summary";
  json["status"] = CodeName(report.status.code());
  json["exit_code"] = exit_code;
  json["message"] = report.status.message();
  json["job_id"] = report.job_id;
  json["job_name"] = report.job_name;
  json["output_dir"] = report.output_dir;
  AddVolumes(report, &json);
  AddSkew(report, &json);
  json["peak_rss_bytes"] = report.peak_rss_bytes;
  json["prepare_ms"] = report.prepare_ms;
  json["map_ms"] = report.map_ms;
  json["reduce_ms"] = report.reduce_ms;
  json["commit_ms"] = report.commit_ms;
  json["total_ms"] = report.total_ms;
  json["cpu_seconds"] = report.cpu_seconds;
  json["counters"] = Json::object();
  for (const auto& [group, counters] : report.counters)
    for (const auto& [name, count] : counters) json["counters"][group][name] = count;
  if (!report.loop.mode.empty()) AddLoop(report.loop, &json);
  json["warnings"] = report.warnings;
  return Line(json);
}

std::string SubmittedJson(const std::string& job_id, bool reattached) {
  return Line(Json({{"event", "submitted"}, {"job_id", job_id}, {"reattached", reattached}}));
}

std::string PluginJson(const PluginDescription& plugin) {
  Json json;
  json["path"] = plugin.path;
  json["name"] = plugin.name;
  json["summary"] = plugin.summary;
  json["usage"] = plugin.usage;
  json["abi_version"] = plugin.abi_version;
  json["sdk_version"] = plugin.sdk_version;
  json["compiler"] = plugin.compiler;
  return Line(json);
}

}  // namespace spillway
