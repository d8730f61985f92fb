#include "runtime/comparison/comparison_rows.h"

#include <cstdio>
#include <nlohmann/json.hpp>

namespace spillway {
namespace {

using Json = nlohmann::ordered_json;

std::string Quoted(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + "\"";
}

/// Microseconds are as fine as the runs tell.
std::string Number(double seconds) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6f", seconds);
  return text;
}

std::string ModeRows(const std::string& name, const ModeFigures& figures) {
  if (!figures.ran()) return {};
  const std::string begin = Quoted(name) + "," + figures.mode + ",";
  const std::string nothing_else = std::string(6, ',') + "\n";
  std::string rows = begin + "0," + Number(figures.start_seconds) + nothing_else;
  for (std::size_t i = 0; i < figures.iteration_seconds.size(); ++i)
    rows +=
        begin + std::to_string(i + 1) + "," + Number(figures.iteration_seconds[i]) + nothing_else;
  rows += begin + "all," + Number(figures.wall_seconds) + "," + Number(figures.cpu_seconds);
  for (const std::uint64_t bytes :
       {figures.read_bytes, figures.written_bytes, figures.spilled_bytes, figures.shuffled_bytes,
        figures.peak_rss_bytes})
    rows += "," + std::to_string(bytes);
  return rows + "\n";
}

Json ModeJson(const ModeFigures& figures) {
  Json json;
  json["mode"] = figures.mode;
  json["exit_code"] = figures.exit_code;
  json["message"] = figures.failure;
  if (!figures.ran()) return json;
  const Spread later = figures.later();
  json["converged"] = figures.converged;
  json["start_seconds"] = figures.start_seconds;
  json["iteration_seconds"] = figures.iteration_seconds;
  json["later_median_seconds"] = later.median;
  json["later_min_seconds"] = later.least;
  json["later_max_seconds"] = later.most;
  json["read_bytes"] = figures.read_bytes;
  json["written_bytes"] = figures.written_bytes;
  json["spilled_bytes"] = figures.spilled_bytes;
  json["shuffled_bytes"] = figures.shuffled_bytes;
  json["peak_rss_bytes"] = figures.peak_rss_bytes;
  json["cpu_seconds"] = figures.cpu_seconds;
  json["system_seconds"] = figures.system_seconds;
  json["wall_seconds"] = figures.wall_seconds;
  json["prepare_seconds"] = figures.prepare_seconds;
  json["map_seconds"] = figures.map_seconds;
  json["reduce_seconds"] = figures.reduce_seconds;
  json["commit_seconds"] = figures.commit_seconds;
  return json;
}

Json OrNull(const std::optional<double>& number) {
  return number.has_value() ? Json(*number) : Json();
}

Json LoopJson(const LoopComparison& loop) {
  Json json;
  json["example"] = loop.name;
  json["input"] = loop.input;
  json["arguments"] = loop.arguments;
  json["same_output"] = loop.complete() ? Json(loop.difference.empty()) : Json();
  json["first_ratio"] = OrNull(loop.first_ratio());
  json["later_ratio"] = OrNull(loop.later_ratio());
  json["modes"] = {ModeJson(loop.memory), ModeJson(loop.disk)};
  return json;
}

}  // namespace

std::string ComparisonCsv(const ComparisonReport& report) {
  std::string csv =
      "example,mode,iteration,seconds,cpu_seconds,read_bytes,written_bytes,spilled_bytes,"
      "shuffled_bytes,peak_rss_bytes\n";
  for (const LoopComparison& loop : report.loops)
    csv += ModeRows(loop.name, loop.memory) + ModeRows(loop.name, loop.disk);
  return csv;
}

std::string ComparisonJson(const ComparisonReport& report, int exit_code) {
  Json json;
  json["event"] = "comparison";
  json["exit_code"] = exit_code;
  json["machine"] = report.machine;
  json["command"] = report.command;
  json["examples"] = Json::array();
  for (const LoopComparison& loop : report.loops) json["examples"].push_back(LoopJson(loop));
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace spillway
