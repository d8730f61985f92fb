#include "runtime/cli/summary_text.h"

#include <algorithm>
#include <cstdio>

#include "mapreduce/base/units.h"
#include "runtime/cli/quantity_text.h"
#include "runtime/cli/skew_text.h"

namespace spillway {
namespace {

constexpr std::size_t kLabelColumns = 10;

std::string Label(std::string label) {
  label.resize(std::max(kLabelColumns, label.size() + 1), ' ');
  return "  " + label;
}

std::string FixedPoint(double value, const char* format) {
  char text[64];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

std::string Volume(std::uint64_t records, std::uint64_t bytes) {
  return FormatNoun(records, "record") + ", " + FormatBytes(bytes);
}

std::string MapLine(const JobReport& report) {
  std::string text = Label("map out") + Volume(report.map_output_records, report.map_output_bytes);
  if (report.segment_records < report.map_output_records)
    text += "; " + FormatNoun(report.segment_records, "record") + " after combining";
  return text + "\n";
}

std::string HeavyKeysLine(const SkewReport& skew) {
  const std::string keys = HeavyKeysText(skew.heavy_keys, skew.reduces);
  return keys.empty() ? keys : Label("heaviest") + keys + " of the map output\n";
}

std::string ShuffleLine(const JobReport& report) {
  std::string text = Label("shuffled") + FormatBytes(report.shuffled_bytes);
  if (report.spilled_bytes == 0) return text + ", nothing spilled\n";
  text += "; spilled " + FormatBytes(report.spilled_bytes);
  if (report.spills > 0) text += " in " + FormatNoun(report.spills, "run");
  return text + "\n";
}

std::string ReducedLines(const JobReport& report) {
  std::string text;
  const auto add = [&](const char* label, const std::string& line) {
    if (!line.empty()) text += Label(label) + line + "\n";
  };
  add("reduced", PartitionsText(report.skew));
  add("split", SplitText(report.skew, report.combines));
  add("joined", JoinedText(report.joined_partitions, report.reduces));
  return text;
}

std::string OutputLine(const JobReport& report) {
  std::string text = Label("output") + Volume(report.output_records, report.output_bytes);
  if (report.partition_output_bytes.size() < 2) return text + "\n";
  const Skew skew = MeasureSkew(report.partition_output_bytes);
  text += " in " + FormatNoun(report.partition_output_bytes.size(), "part") + ", skew ";
  text += skew.ratio > 0 ? FixedPoint(skew.ratio, "%.2f") : "-";
  return text + " (largest " + FormatBytes(skew.largest) + ", median " + FormatBytes(skew.median) +
         ")\n";
}

std::string TimeLine(const JobReport& report) {
  return Label("time") + "prepare " + FormatDuration(report.prepare_ms) + ", map " +
         FormatDuration(report.map_ms) + ", reduce " + FormatDuration(report.reduce_ms) +
         ", commit " + FormatDuration(report.commit_ms) + "; CPU " +
         FixedPoint(report.cpu_seconds, "%.2f s") + "\n";
}

std::string TroubleLines(const JobReport& report, bool verbose) {
  std::string text;
  if (report.attempts_failed > 0 || report.maps_rerun > 0 || verbose)
    text += Label("attempts") + FormatCount(report.attempts_failed) + " failed, " +
            FormatNoun(report.maps_rerun, "map") + " run again\n";
  if (report.records_skipped > 0 || verbose)
    text += Label("skipped") + FormatNoun(report.records_skipped, "bad record") + "\n";
  return text;
}

std::string LoopLine(const LoopReport& loop) {
  double sum = 0;
  std::size_t count = 0;  // Of rounds that were not passed over.
  for (const double seconds : loop.iteration_seconds) {
    sum += seconds;
    count += seconds > 0 ? 1 : 0;
  }
  std::string text = Label("rounds") + FormatNoun(loop.rounds, "round") + " in " + loop.mode +
                     " mode, " + (loop.converged ? "converged" : "not converged: raise --rounds");
  if (loop.resumed_round != 0)
    text += ", resumed at the checkpoint of round " + std::to_string(loop.resumed_round);
  if (count > 0)
    text += "; " + FixedPoint(sum * 1e3 / static_cast<double>(count), "%.2f ms") + " each, after " +
            FixedPoint(loop.start_seconds, "%.2f s");
  return text + "\n";
}

std::string CounterLines(const JobReport& report) {
  std::string text;
  for (const auto& [group, counters] : report.counters)
    for (const auto& [name, count] : counters)
      text += Label(text.empty() ? "counters" : "") + EscapeForLog(group) + ": " +
              EscapeForLog(name) + " " + FormatCount(count) + "\n";
  return text;
}

}  // namespace

std::string SummaryText(const JobReport& report, bool verbose, TextStyle style) {
  std::string text = style.Good(EscapeForLog(report.job_name) + ":") + " done in " +
                     FormatDuration(report.total_ms) + ", output in " +
                     EscapeForLog(report.output_dir, 200) + "\n";
  if (verbose) text += Label("run") + EscapeForLog(report.job_id) + "\n";
  text += Label("input") + Volume(report.input_records, report.input_bytes) + " in " +
          FormatNoun(report.maps, "split") + "\n";
  if (!report.loop.mode.empty()) text += LoopLine(report.loop);
  text += MapLine(report) + HeavyKeysLine(report.skew) + ShuffleLine(report);
  text += ReducedLines(report) + OutputLine(report) + TimeLine(report);
  if (report.peak_rss_bytes > 0)
    text += Label("memory") + FormatBytes(report.peak_rss_bytes) + " at most\n";
  text += TroubleLines(report, verbose) + CounterLines(report);
  const std::string hint = SkewHint(report.skew);
  if (!hint.empty()) text += "  " + style.Bold("hint:") + " " + hint + "\n";
  for (const std::string& warning : report.warnings)
    text += "  " + style.Warning("warning:") + " " + warning + "\n";
  return text;
}

}  // namespace spillway
