// A comparison for other programs: CSV and JSON, with names and units that do not change. Pure.
#pragma once

#include <string>

#include "runtime/comparison/loop_comparison.h"

namespace spillway {

/// A heading, then for each example and mode a row for each iteration, 0 being the first one, and
/// one for `all`, which alone has the columns behind the seconds.
std::string ComparisonCsv(const ComparisonReport& report);

/// One object in one line; docs/command.md names its fields.
std::string ComparisonJson(const ComparisonReport& report, int exit_code);

}  // namespace spillway
