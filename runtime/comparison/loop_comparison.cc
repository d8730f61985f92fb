#include "runtime/comparison/loop_comparison.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>

namespace spillway {
namespace {

constexpr double kMs = 1e-3;

std::optional<double> Ratio(double disk, double memory) {
  if (disk <= 0 || memory <= 0) return std::nullopt;
  return disk / memory;
}

}  // namespace

Spread ModeFigures::later() const {
  if (iteration_seconds.empty()) return {};
  std::vector<double> sorted = iteration_seconds;
  std::sort(sorted.begin(), sorted.end());
  const std::size_t middle = sorted.size() / 2;
  const double median =
      sorted.size() % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  return {median, sorted.front(), sorted.back()};
}

double ModeFigures::later_sum() const {
  return std::accumulate(iteration_seconds.begin(), iteration_seconds.end(), 0.0);
}

Status ReadSummary(std::string_view line, ModeFigures* figures) {
  const auto json = nlohmann::json::parse(line, nullptr, false);
  if (!json.is_object() || json.value("event", "") != "summary")
    return InternalError("the run's last line is no summary: '" + std::string(line.substr(0, 200)) +
                         "'");
  const std::uint64_t none = 0;
  figures->failure = json.value("message", "");
  figures->start_seconds = json.value("start_seconds", 0.0);
  figures->iteration_seconds = json.value("iteration_seconds", std::vector<double>());
  figures->converged = json.value("converged", false);
  figures->read_bytes = json.value("read_bytes", none);
  figures->written_bytes = json.value("written_bytes", none);
  figures->spilled_bytes = json.value("spilled_bytes", none);
  figures->shuffled_bytes = json.value("shuffled_bytes", none);
  figures->peak_rss_bytes = json.value("peak_rss_bytes", none);
  figures->prepare_seconds = json.value("prepare_ms", 0.0) * kMs;
  figures->map_seconds = json.value("map_ms", 0.0) * kMs;
  figures->reduce_seconds = json.value("reduce_ms", 0.0) * kMs;
  figures->commit_seconds = json.value("commit_ms", 0.0) * kMs;
  figures->cpu_seconds = json.value("cpu_seconds", 0.0);
  return OkStatus();
}

std::optional<double> LoopComparison::first_ratio() const {
  if (!complete()) return std::nullopt;
  return Ratio(disk.start_seconds, memory.start_seconds);
}

std::optional<double> LoopComparison::later_ratio() const {
  if (!complete()) return std::nullopt;
  return Ratio(disk.later().median, memory.later().median);
}

}  // namespace spillway
