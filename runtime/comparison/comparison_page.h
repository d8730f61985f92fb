// A comparison as an HTML page that needs nothing beside it: pictures, tables, machine, command. It
// is well-formed XML as well. Pure.
#pragma once

#include <string>

#include "runtime/comparison/loop_comparison.h"

namespace spillway {

std::string ComparisonPage(const ComparisonReport& report);

}  // namespace spillway
