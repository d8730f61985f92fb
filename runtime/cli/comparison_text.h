// A comparison on a terminal: for each example its title, figures, bars, and where the time goes.
// Pure.
#pragma once

#include <string>

#include "runtime/cli/text_style.h"
#include "runtime/comparison/loop_comparison.h"

namespace spillway {

struct BarStyle {
  bool blocks = true;  ///< Of eighths of a column; else of '#'.
  TextStyle text;
};

std::string ComparisonText(const ComparisonReport& report, const BarStyle& style);

/// A bar of `share` of `columns`; never less than its smallest piece.
std::string Bar(double share, std::size_t columns, bool blocks);

}  // namespace spillway
