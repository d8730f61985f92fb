// A finished job as people read it: the short summary that ends a run. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/cli/text_style.h"
#include "runtime/local/job_runner.h"

namespace spillway {

/// How unevenly the reduce tasks' output is spread.
struct Skew {
  std::uint64_t largest_bytes = 0;
  std::uint64_t median_bytes = 0;
  double ratio = 0;  ///< largest / median; 0 when the median is 0.
};

Skew MeasureSkew(std::vector<std::uint64_t> partition_bytes);

/// Records and bytes in and out, spills, shuffle, skew, time per phase, memory, the user's
/// counters and warnings. `verbose` adds the attempts, the run's id and the zero lines.
std::string SummaryText(const JobReport& report, bool verbose, TextStyle style);

}  // namespace spillway
