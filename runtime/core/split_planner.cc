#include "runtime/core/split_planner.h"

#include <algorithm>
#include <utility>

namespace spillway {
namespace {

constexpr std::uint64_t kSplitsWanted = 8;
constexpr std::uint64_t kLoopPartsWanted = 64;
constexpr std::uint64_t kSplitBytesMin = 4 * kMiB;
constexpr std::uint64_t kSplitBytesMax = 128 * kMiB;

constexpr std::uint64_t kReducerBytesMin = 8 * kMiB;
constexpr std::uint64_t kReducerBytesMax = 512 * kMiB;
constexpr std::uint64_t kReducersMax = 4096;

constexpr std::uint64_t DivideUp(std::uint64_t a, std::uint64_t b) { return a / b + (a % b != 0); }

/// split_bytes and its tail, as the plan's two limits.
struct SplitLimits {
  std::uint64_t split_bytes;
  std::uint64_t last_bytes_max;

  SplitLimits(std::uint64_t bytes, std::uint32_t tail_percent) : split_bytes(bytes) {
    // Divided first: a split size near 2^64 (a way to say "do not split") must not overflow.
    const std::uint64_t tail = bytes / 100 * tail_percent + bytes % 100 * tail_percent / 100;
    last_bytes_max = bytes > UINT64_MAX - tail ? UINT64_MAX : bytes + tail;
  }
};

/// The splits of a file that is longer than one split: all of split_bytes but the last, which
/// takes the rest once that fits the tail.
std::uint64_t SplitsOf(const InputFile& file, const SplitLimits& limits) {
  if (!file.splittable || file.bytes <= limits.last_bytes_max) return 1;
  return DivideUp(file.bytes - limits.last_bytes_max, limits.split_bytes) + 1;
}

bool IsSmall(const InputFile& file, const SplitLimits& limits) {
  return file.bytes < limits.split_bytes;
}

/// Walks the plan without building it: `whole(file, joins)` for a file that is one range, joining
/// the map input before it or not, and `cut(file, splits)` for one that is several.
template <class Whole, class Cut>
void WalkPlan(std::span<const InputFile> files, const SplitOptions& options,
              const SplitLimits& limits, Whole&& whole, Cut&& cut) {
  std::uint64_t open_bytes = 0;  // Of the pack that the next small file may join; 0: none.
  std::uint64_t names_bytes = 0;
  for (std::size_t i = 0; i < files.size(); ++i) {
    const InputFile& file = files[i];
    if (file.bytes == 0) continue;
    if (!IsSmall(file, limits)) {
      open_bytes = 0;
      const std::uint64_t splits = SplitsOf(file, limits);
      if (splits == 1) {
        whole(i, false);
      } else {
        cut(i, splits);
      }
      continue;
    }
    const bool joins = options.pack_small_files && open_bytes != 0 &&
                       open_bytes + file.bytes <= limits.split_bytes &&
                       names_bytes + DescriptionBytes(file) <= options.task_names_bytes_max;
    whole(i, joins);
    open_bytes = joins ? open_bytes + file.bytes : file.bytes;
    names_bytes = (joins ? names_bytes : 0) + DescriptionBytes(file);
  }
}

std::uint64_t CountSplits(std::span<const InputFile> files, const SplitOptions& options,
                          const SplitLimits& limits) {
  std::uint64_t count = 0;
  WalkPlan(
      files, options, limits, [&](std::size_t, bool joins) { count += joins ? 0 : 1; },
      [&](std::size_t, std::uint64_t splits) { count += splits; });
  return count;
}

std::vector<MapInput> BuildPlan(std::span<const InputFile> files, const SplitOptions& options,
                                const SplitLimits& limits) {
  std::vector<MapInput> plan;
  const auto range = [](std::size_t file, std::uint64_t offset, std::uint64_t bytes) {
    return FileRange{static_cast<std::uint32_t>(file), offset, bytes};
  };
  const auto whole = [&](std::size_t i, bool joins) {
    if (!joins) plan.emplace_back();
    plan.back().ranges.push_back(range(i, 0, files[i].bytes));
    plan.back().bytes += files[i].bytes;
  };
  const auto cut = [&](std::size_t i, std::uint64_t splits) {
    std::uint64_t offset = 0;
    for (std::uint64_t s = 0; s + 1 < splits; ++s, offset += limits.split_bytes)
      plan.push_back({{range(i, offset, limits.split_bytes)}, limits.split_bytes});
    const std::uint64_t rest = files[i].bytes - offset;
    plan.push_back({{range(i, offset, rest)}, rest});
  };
  WalkPlan(files, options, limits, whole, cut);
  return plan;
}

}  // namespace

Result<std::vector<MapInput>> PlanSplits(std::span<const InputFile> files,
                                         const SplitOptions& options) {
  if (options.split_bytes == 0) return InvalidArgument("split_bytes is 0: give a size");
  if (options.splits_max == 0) return InvalidArgument("splits_max is 0: allow at least one split");

  std::uint64_t split_bytes = options.split_bytes;
  for (;;) {
    const SplitLimits limits(split_bytes, options.tail_percent);
    const std::uint64_t splits = CountSplits(files, options, limits);
    if (splits <= options.splits_max) return BuildPlan(files, options, limits);
    if (split_bytes > UINT64_MAX / 2) {
      return InvalidArgument(FormatCount(files.size()) + " input files make " +
                             FormatCount(splits) + " splits, more than splits_max " +
                             FormatCount(options.splits_max) +
                             ": raise it, join the files or pack small files");
    }
    split_bytes *= 2;
  }
}

std::uint64_t SplitBytesFor(std::uint64_t input_bytes) {
  const std::uint64_t mebibytes = DivideUp(DivideUp(input_bytes, kSplitsWanted), kMiB);
  // Clamped before it is multiplied, so that an input of any size is safe.
  return std::clamp(mebibytes, kSplitBytesMin / kMiB, kSplitBytesMax / kMiB) * kMiB;
}

std::uint64_t LoopPartBytesFor(std::uint64_t input_bytes) {
  const std::uint64_t mebibytes = DivideUp(DivideUp(input_bytes, kLoopPartsWanted), kMiB);
  return std::clamp<std::uint64_t>(mebibytes, 1, kSplitBytesMax / kMiB) * kMiB;
}

std::uint32_t ReducersFor(const ReducerDemand& demand) {
  const std::uint64_t slots = std::max<std::uint64_t>(demand.slots, 1);
  std::uint64_t reducers = std::max(slots, DivideUp(demand.input_bytes, kReducerBytesMax));
  reducers = std::min(reducers, DivideUp(demand.input_bytes, kReducerBytesMin));
  if (reducers > slots) reducers = DivideUp(reducers, slots) * slots;
  return static_cast<std::uint32_t>(std::clamp<std::uint64_t>(reducers, 1, kReducersMax));
}

}  // namespace spillway
