// A finished job as people read it: the short summary that ends a run. Pure.
#pragma once

#include <string>

#include "runtime/cli/text_style.h"
#include "runtime/local/job_runner.h"

namespace spillway {

/// Records and bytes in and out, spills, shuffle, skew, time per phase, memory, the user's
/// counters and warnings. `verbose` adds the attempts, the run's id and the zero lines.
std::string SummaryText(const JobReport& report, bool verbose, TextStyle style);

}  // namespace spillway
