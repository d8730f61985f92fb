#include "shuffle/engine/merge_plan.h"

#include <algorithm>

namespace spillway {
namespace {

/// Fewer make no progress, so that two runs are merged whether they fit or not.
constexpr std::size_t kFanInMin = 2;

std::uint64_t MemoryOf(std::span<const RunCost> runs, const MergeLimits& limits) {
  std::uint64_t bytes = 0;
  for (const RunCost& run : runs) bytes += run.buffer_bytes + limits.memory_per_run;
  return bytes;
}

/// The cheapest `count` neighbours whose buffers fit `memory_bytes`.
std::optional<RunRange> CheapestRange(std::span<const RunCost> runs, std::size_t count,
                                      std::uint64_t memory_bytes, const MergeLimits& limits) {
  std::optional<RunRange> cheapest;
  std::uint64_t cheapest_bytes = 0;
  std::uint64_t raw_bytes = 0;
  std::uint64_t open_bytes = 0;
  for (std::size_t end = 0; end < runs.size(); ++end) {
    raw_bytes += runs[end].raw_bytes;
    open_bytes += runs[end].buffer_bytes + limits.memory_per_run;
    if (end >= count) {
      raw_bytes -= runs[end - count].raw_bytes;
      open_bytes -= runs[end - count].buffer_bytes + limits.memory_per_run;
    }
    if (end + 1 < count || (open_bytes > memory_bytes && count > kFanInMin)) continue;
    if (cheapest.has_value() && raw_bytes >= cheapest_bytes) continue;
    cheapest = {end + 1 - count, count};
    cheapest_bytes = raw_bytes;
  }
  return cheapest;
}

}  // namespace

std::optional<RunRange> NextMerge(std::span<const RunCost> runs, const MergeLimits& limits) {
  const std::uint64_t all_bytes = MemoryOf(runs, limits);
  const std::size_t fan_in_max = std::max<std::size_t>(limits.fan_in_max, kFanInMin);
  if (runs.size() <= kFanInMin) return std::nullopt;
  if (runs.size() <= fan_in_max && all_bytes <= limits.memory_bytes) return std::nullopt;

  // The fan-in for runs of average need; ranges that need more than that are cut below.
  const std::uint64_t memory_bytes =
      limits.memory_bytes - std::min(limits.memory_bytes, limits.write_bytes);
  const std::uint64_t average_bytes = std::max<std::uint64_t>(all_bytes / runs.size(), 1);
  const std::size_t fan_in =
      std::clamp<std::uint64_t>(memory_bytes / average_bytes, kFanInMin, fan_in_max);
  const std::size_t surplus = runs.size() > fan_in ? runs.size() - fan_in : 1;
  const std::size_t first = surplus % (fan_in - 1);
  std::size_t count = (first == 0 ? fan_in - 1 : first) + 1;
  for (;; count = std::max(count / 2, kFanInMin))
    if (const auto range = CheapestRange(runs, count, memory_bytes, limits)) return range;
}

}  // namespace spillway
