// LoopComparison: what one iterative job took in memory mode and in disk mode, on the same data.
// Values; pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mapreduce/base/status.h"

namespace spillway {

/// Of several times, in seconds.
struct Spread {
  double median = 0, least = 0, most = 0;
};

/// One run in one mode.
struct ModeFigures {
  std::string mode;     ///< "memory" or "disk".
  std::string failure;  ///< Why it did not run to its end, and there is nothing below; or empty.
  int exit_code = 0;
  double start_seconds = 0;  ///< The first iteration: the input is read, parsed and looked over.
  std::vector<double> iteration_seconds;  ///< Of each later one.
  bool converged = false;
  std::uint64_t read_bytes = 0;      ///< Inputs of all jobs that it took.
  std::uint64_t written_bytes = 0;   ///< Their outputs.
  std::uint64_t spilled_bytes = 0;   ///< Written to scratch files.
  std::uint64_t shuffled_bytes = 0;  ///< From mappers to reducers, or from parts to the fold.
  std::uint64_t peak_rss_bytes = 0;  ///< Of the process; 0: a cluster did the work.
  double prepare_seconds = 0, map_seconds = 0, reduce_seconds = 0, commit_seconds = 0;
  double wall_seconds = 0;    ///< Of the process, from its start to its end.
  double cpu_seconds = 0;     ///< User and system, of all that did the work.
  double system_seconds = 0;  ///< Of it in the kernel; 0 when a cluster did the work.

  bool ran() const { return failure.empty(); }
  bool here() const { return peak_rss_bytes > 0; }
  /// All zero when there was no later iteration.
  Spread later() const;
  double later_sum() const;
};

/// Takes the figures of `spillway run --json` from its last line. Internal: it is no such line.
Status ReadSummary(std::string_view line, ModeFigures* figures);

struct LoopComparison {
  std::string name;   ///< The example, or the plugin's path.
  std::string input;  ///< In words.
  std::vector<std::string> arguments;
  ModeFigures memory, disk;
  /// Where the outputs differ, in words; empty: nowhere, or one of them is missing.
  std::string difference;

  bool complete() const { return memory.ran() && disk.ran(); }
  /// Disk mode's time over memory mode's; nothing without both.
  std::optional<double> first_ratio() const;
  std::optional<double> later_ratio() const;
};

/// All comparisons of one command.
struct ComparisonReport {
  std::string machine;  ///< In words.
  std::string command;  ///< As it could be typed again.
  std::vector<LoopComparison> loops;
};

}  // namespace spillway
