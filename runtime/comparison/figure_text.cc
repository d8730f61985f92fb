#include "runtime/comparison/figure_text.h"

#include <cmath>
#include <cstdio>

#include "mapreduce/base/units.h"

namespace spillway {
namespace {

constexpr const char* kNothing = "-";

std::string Digits(double number, int decimals) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", decimals, number);
  return text;
}

/// Three significant digits, as far as they stand behind the point.
std::string Three(double number) {
  return Digits(number, number < 9.995 ? 2 : number < 99.95 ? 1 : 0);
}

std::vector<std::string> Nothing(const std::string& mode, std::size_t columns) {
  std::vector<std::string> cells(columns, kNothing);
  cells[0] = mode;
  return cells;
}

}  // namespace

std::string FormatSeconds(double seconds) {
  if (seconds == 0) return "0 ms";
  return seconds < 0.9995 ? Three(seconds * 1e3) + " ms" : Three(seconds) + " s";
}

std::string FormatRatio(const std::optional<double>& ratio) {
  return ratio.has_value() ? Three(*ratio) + "x" : kNothing;
}

std::vector<std::string> FigureHeadings() {
  return {"mode",    "first",   "later",    "min",      "max", "read",
          "written", "spilled", "shuffled", "peak RSS", "CPU"};
}

std::vector<std::string> FigureCells(const ModeFigures& figures) {
  if (!figures.ran()) return Nothing(figures.mode, FigureHeadings().size());
  const Spread later = figures.later();
  const bool any = !figures.iteration_seconds.empty();
  return {figures.mode,
          FormatSeconds(figures.start_seconds),
          any ? FormatSeconds(later.median) : kNothing,
          any ? FormatSeconds(later.least) : kNothing,
          any ? FormatSeconds(later.most) : kNothing,
          FormatBytes(figures.read_bytes),
          FormatBytes(figures.written_bytes),
          FormatBytes(figures.spilled_bytes),
          FormatBytes(figures.shuffled_bytes),
          figures.here() ? FormatBytes(figures.peak_rss_bytes) : kNothing,
          FormatSeconds(figures.cpu_seconds)};
}

std::vector<std::string> RatioCells(const LoopComparison& loop) {
  std::vector<std::string> cells(FigureHeadings().size());
  cells[0] = "disk/memory";
  cells[1] = FormatRatio(loop.first_ratio());
  cells[2] = FormatRatio(loop.later_ratio());
  return cells;
}

std::vector<std::string> TimeHeadings() {
  return {"mode", "whole",  "first",  "all later", "rest",      "prepare",
          "map",  "reduce", "commit", "CPU",       "in kernel", "cores"};
}

std::vector<std::string> TimeCells(const ModeFigures& figures) {
  if (!figures.ran()) return Nothing(figures.mode, TimeHeadings().size());
  const double later = figures.later_sum();
  const double rest = std::max(0.0, figures.wall_seconds - figures.start_seconds - later);
  const bool here = figures.here() && figures.wall_seconds > 0;
  return {figures.mode,
          FormatSeconds(figures.wall_seconds),
          FormatSeconds(figures.start_seconds),
          FormatSeconds(later),
          FormatSeconds(rest),
          FormatSeconds(figures.prepare_seconds),
          FormatSeconds(figures.map_seconds),
          FormatSeconds(figures.reduce_seconds),
          FormatSeconds(figures.commit_seconds),
          FormatSeconds(figures.cpu_seconds),
          here ? FormatSeconds(figures.system_seconds) : kNothing,
          here ? Digits(figures.cpu_seconds / figures.wall_seconds, 2) : kNothing};
}

std::string LoopTitle(const LoopComparison& loop) {
  std::string title = loop.name + ": " + loop.input;
  if (loop.complete()) {
    const std::size_t later = loop.memory.iteration_seconds.size();
    title += "; " + std::to_string(later) + (later == 1 ? " iteration" : " iterations") +
             " after the first";
    title += loop.difference.empty() ? "; the output is the same bytes"
                                     : "; THE OUTPUTS DIFFER: " + loop.difference;
  }
  for (const ModeFigures* mode : {&loop.memory, &loop.disk})
    if (!mode->ran()) title += "; no " + mode->mode + " mode: " + mode->failure;
  return title;
}

}  // namespace spillway
