// MergePlan: which runs to merge ahead when there are too many for one merge. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace spillway {

/// What a run costs: memory while it is open, and bytes to copy when it is merged ahead.
struct RunCost {
  std::uint64_t buffer_bytes = 0;
  std::uint64_t raw_bytes = 0;
};

struct MergeLimits {
  std::uint64_t memory_bytes = 0;    ///< For the buffers of the open runs.
  std::uint64_t memory_per_run = 0;  ///< Taken from it for each run, beside its buffer.
  std::uint64_t write_bytes = 0;     ///< Taken from it while a merge is written.
  std::uint32_t fan_in_max = 0;      ///< 2 at least.
};

struct RunRange {
  std::size_t begin = 0;
  std::size_t count = 0;
};

/// The neighbours that should become one run next, or nothing when all can be merged at once.
/// Only neighbours keep a stable merge stable. Merging n runs leaves n - 1 fewer; the first merge
/// takes just as many as make all later ones full, and every merge takes the cheapest range, so
/// that few bytes are copied twice (Knuth, The Art of Computer Programming 3, 5.4.9).
std::optional<RunRange> NextMerge(std::span<const RunCost> runs, const MergeLimits& limits);

}  // namespace spillway
