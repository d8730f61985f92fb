#include "runtime/comparison/comparison_page.h"

#include <vector>

#include "runtime/comparison/figure_text.h"
#include "runtime/comparison/iteration_chart.h"

namespace spillway {
namespace {

constexpr const char* kHead = R"(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8"/>
<meta name="viewport" content="width=device-width"/>
<title>Disk mode and memory mode</title>
<style>
body { font-family: sans-serif; max-width: 960px; margin: 2em auto; padding: 0 1em;
       color: #222; background: #fff; }
table { border-collapse: collapse; margin: 0.5em 0 1em; font-size: 0.85em; }
th, td { padding: 0.2em 0.6em; text-align: right; border-bottom: 1px solid #ddd; }
th:first-child, td:first-child { text-align: left; }
svg { max-width: 100%; height: auto; }
.wrong { color: #b00020; font-weight: bold; }
code { background: #f3f3f3; padding: 0.1em 0.3em; }
</style>
</head>
<body>
<h1>Disk mode and memory mode</h1>
)";

std::string Row(const std::vector<std::string>& cells, const char* tag) {
  std::string row = "<tr>";
  for (const std::string& cell : cells)
    row += std::string("<") + tag + ">" + EscapeMarkup(cell) + "</" + tag + ">";
  return row + "</tr>\n";
}

std::string Section(const LoopComparison& loop) {
  const bool wrong = !loop.difference.empty();
  std::string arguments;
  for (const std::string& argument : loop.arguments) arguments += " " + argument;
  return "<h2>" + EscapeMarkup(loop.name) + "</h2>\n<p" + (wrong ? " class=\"wrong\"" : "") + ">" +
         EscapeMarkup(LoopTitle(loop) + ".") +
         (arguments.empty()
              ? ""
              : " Arguments: <code>" + EscapeMarkup(arguments.substr(1)) + "</code>") +
         "</p>\n" + IterationChart(loop) + "<table>\n" + Row(FigureHeadings(), "th") +
         Row(FigureCells(loop.memory), "td") + Row(FigureCells(loop.disk), "td") +
         Row(RatioCells(loop), "td") + "</table>\n<h3>Where the time goes</h3>\n<table>\n" +
         Row(TimeHeadings(), "th") + Row(TimeCells(loop.memory), "td") +
         Row(TimeCells(loop.disk), "td") + "</table>\n";
}

constexpr const char* kLegend =
    "<p>The first iteration reads and parses the input; what stands under \"later\" is the median "
    "of the others. Prepare, map, reduce and commit are the phases of all jobs of a run; rest is "
    "the process's start and end, and writing the result.</p>\n";

}  // namespace

std::string ComparisonPage(const ComparisonReport& report) {
  std::string page = std::string(kHead) + "<p>" + EscapeMarkup(report.machine) + "</p>\n<p><code>" +
                     EscapeMarkup(report.command) + "</code></p>\n";
  for (const LoopComparison& loop : report.loops) page += Section(loop);
  return page + kLegend + "</body>\n</html>\n";
}

}  // namespace spillway
