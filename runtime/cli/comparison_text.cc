#include "runtime/cli/comparison_text.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "runtime/cli/text_table.h"
#include "runtime/comparison/figure_text.h"

namespace spillway {
namespace {

constexpr std::size_t kBarColumns = 48;
constexpr int kEighths = 8;
constexpr const char* kBlocks[kEighths] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};

/// Two spaces in front of each line.
std::string Indented(const std::string& lines) {
  std::string out = "  ";
  for (std::size_t i = 0; i < lines.size(); ++i) {
    out += lines[i];
    if (lines[i] == '\n' && i + 1 < lines.size()) out += "  ";
  }
  return out;
}

std::string BarLine(const std::string& what, const std::string& mode, double seconds, double most,
                    const BarStyle& style, const std::string& behind) {
  std::string line = "  " + what;
  line.resize(10, ' ');
  line += mode;
  line.resize(18, ' ');
  return line + Bar(seconds / most, kBarColumns, style.blocks) + " " + FormatSeconds(seconds) +
         behind + "\n";
}

/// Of the first iteration and of a later one, all of one scale.
std::string Bars(const LoopComparison& loop, const BarStyle& style) {
  std::vector<const ModeFigures*> modes;
  for (const ModeFigures* mode : {&loop.memory, &loop.disk})
    if (mode->ran()) modes.push_back(mode);
  double most = 0;
  for (const ModeFigures* mode : modes)
    most = std::max({most, mode->start_seconds, mode->later().median});
  if (most <= 0) return {};
  std::string out = "\n";
  const auto group = [&](const char* what, const std::optional<double>& ratio, const auto& time) {
    for (const ModeFigures* mode : modes)
      out += BarLine(mode == modes.front() ? what : "", mode->mode, time(*mode), most, style,
                     mode == modes.back() && ratio.has_value() ? "  " + FormatRatio(ratio) : "");
  };
  group("first", loop.first_ratio(), [](const ModeFigures& mode) { return mode.start_seconds; });
  group("later", loop.later_ratio(), [](const ModeFigures& mode) { return mode.later().median; });
  return out;
}

std::string LoopText(const LoopComparison& loop, const BarStyle& style) {
  const std::string title = LoopTitle(loop);
  std::string out = (loop.difference.empty() ? style.text.Bold(title) : style.text.Error(title));
  out += "\n";
  if (!loop.memory.ran() && !loop.disk.ran()) return out;
  out += "\n" + Indented(TextTable({FigureHeadings(), FigureCells(loop.memory),
                                    FigureCells(loop.disk), RatioCells(loop)}));
  out += Bars(loop, style);
  return out + "\n  Where the time goes:\n\n" +
         Indented(TextTable({TimeHeadings(), TimeCells(loop.memory), TimeCells(loop.disk)}));
}

}  // namespace

std::string Bar(double share, std::size_t columns, bool blocks) {
  const double whole = std::clamp(share, 0.0, 1.0) * static_cast<double>(columns);
  if (!blocks) return std::string(static_cast<std::size_t>(std::max(1.0, std::round(whole))), '#');
  const auto eighths = static_cast<std::size_t>(std::max(1.0, std::round(whole * kEighths)));
  std::string bar;
  for (std::size_t i = 0; i < eighths / kEighths; ++i) bar += "█";
  return bar + kBlocks[eighths % kEighths];
}

std::string ComparisonText(const ComparisonReport& report, const BarStyle& style) {
  std::string out;
  for (const LoopComparison& loop : report.loops) out += LoopText(loop, style) + "\n";
  return out + report.machine + "\n" + report.command + "\n";
}

}  // namespace spillway
