// The picture of a comparison: the time of each iteration in both modes, as SVG that needs nothing
// beside it. Pure.
#pragma once

#include <string>

#include "runtime/comparison/loop_comparison.h"

namespace spillway {

/// One <svg> element to stand in an HTML page; empty when no mode ran.
std::string IterationChart(const LoopComparison& loop);

/// An SVG file with the charts of all loops, one below the other.
std::string ChartFile(const ComparisonReport& report);

/// `text` with the characters replaced that mean something in HTML and XML, and what they forbid.
std::string EscapeMarkup(const std::string& text);

}  // namespace spillway
