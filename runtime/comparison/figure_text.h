// Figures as the comparison's tables and pictures print them. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runtime/comparison/loop_comparison.h"

namespace spillway {

/// Three digits: "0.46 ms", "11.2 ms", "1.23 s", "312 s".
std::string FormatSeconds(double seconds);

/// "27.9x", "1.12x", "310x"; "-" for none.
std::string FormatRatio(const std::optional<double>& ratio);

/// What one row of the table of figures says, in the order of the headings below; a mode that did
/// not run has "-".
std::vector<std::string> FigureCells(const ModeFigures& figures);
std::vector<std::string> FigureHeadings();
/// The row below the two modes': disk over memory.
std::vector<std::string> RatioCells(const LoopComparison& loop);

/// Where the time goes: of a whole run, and of the jobs that it took.
std::vector<std::string> TimeCells(const ModeFigures& figures);
std::vector<std::string> TimeHeadings();

/// "k_means: 64.0 MiB of points; 10 iterations after the first; the output is the same bytes".
std::string LoopTitle(const LoopComparison& loop);

}  // namespace spillway
