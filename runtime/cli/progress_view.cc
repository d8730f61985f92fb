#include "runtime/cli/progress_view.h"

#include <algorithm>
#include <ostream>
#include <utility>

#include "mapreduce/base/units.h"
#include "runtime/cli/job_json.h"
#include "runtime/cli/quantity_text.h"
#include "runtime/cli/skew_text.h"

namespace spillway {
namespace {

constexpr std::size_t kBarColumns = 20;
constexpr std::size_t kColumnsMin = 20;
constexpr std::uint64_t kPlainMsMin = 1'000;   // Between two lines of a log, at least.
constexpr std::uint64_t kPlainMsMax = 15'000;  // In a slow phase, at most.

std::string Bar(unsigned percent) {
  std::string bar(kBarColumns, '-');
  std::fill_n(bar.begin(), kBarColumns * percent / 100, '#');
  return "[" + bar + "]";
}

std::string Of(std::uint64_t done, std::uint64_t total) {
  return FormatCount(done) + "/" + FormatCount(total);
}

std::string HeadOf(const std::string& job_name, const JobProgress& progress) {
  std::string head = EscapeForLog(job_name) + ": ";
  if (!progress.stage.empty()) head += progress.stage + ", ";
  if (progress.round > 0 && progress.rounds_max > 0)
    head += "round " + FormatCount(progress.round) + " of at most " +
            FormatCount(progress.rounds_max) + ", ";
  return head + std::string(PhaseName(progress.phase));
}

/// In memory mode the rounds are one phase.
unsigned TenthOf(const JobProgress& progress) {
  const std::uint64_t of_rounds =
      progress.rounds_max == 0 ? 0 : std::uint64_t{10} * progress.round / progress.rounds_max;
  return std::max(PhasePercent(progress) / 10, static_cast<unsigned>(of_rounds));
}

/// Combine tasks are shown while there are some to be done.
std::string TasksText(const JobProgress& progress) {
  std::string text = "maps " + Of(progress.maps_done, progress.maps_total);
  if (progress.combines_done < progress.combines_total)
    text += ", combines " + Of(progress.combines_done, progress.combines_total);
  return text + ", reduces " + Of(progress.reduces_done, progress.reduces_total);
}

std::string InputText(const JobProgress& progress, const ProgressEstimate& estimate) {
  std::string text = "read " + FormatBytes(progress.input_bytes_read) + " of " +
                     FormatBytes(progress.input_bytes_total);
  const std::uint64_t rate = estimate.input_bytes_per_second();
  if (rate > 0 && progress.phase == JobProgress::Phase::kMap)
    text += " at " + FormatRate(rate, 1'000);
  return text;
}

std::string RemainingText(const JobProgress& progress, const ProgressEstimate& estimate) {
  const auto remaining_ms = estimate.phase_remaining_ms();
  if (!remaining_ms || *remaining_ms == 0) return {};
  return ", " + std::string(PhaseName(progress.phase)) + " ends in about " +
         FormatWholeDuration(std::max<std::uint64_t>(1'000, *remaining_ms));
}

}  // namespace

std::vector<std::string> ProgressBlock(const std::string& job_name, const JobProgress& progress,
                                       const ProgressEstimate& estimate, std::size_t columns,
                                       TextStyle style) {
  const unsigned percent = PhasePercent(progress);
  const std::string head = HeadOf(job_name, progress);
  std::vector<std::string> lines = {
      head + " " + Bar(percent) + " " + std::to_string(percent) + " %, " +
          FormatDuration(progress.elapsed_ms) + RemainingText(progress, estimate),
      "  " + TasksText(progress) + ", " + InputText(progress, estimate),
      "  spilled " + FormatBytes(progress.spilled_bytes) + ", shuffled " +
          FormatBytes(progress.shuffled_bytes)};
  // Not cut: what is left of a key could be half a character.
  const std::string key = HeavyKeysText(progress.heavy_keys, progress.reduces_total, 1);
  if (!key.empty() && lines[2].size() + key.size() + 20 < columns)
    lines[2] += ", heaviest key " + key;
  // A line that wraps would make the block taller than what is erased, so it is cut; before the
  // colour goes in, whose bytes take no columns.
  for (std::string& line : lines)
    line.resize(std::min(line.size(), std::max(columns, kColumnsMin) - 1));
  if (lines[0].size() >= head.size()) lines[0] = style.Bold(head) + lines[0].substr(head.size());
  return lines;
}

TerminalProgressView::TerminalProgressView(std::string job_name, std::ostream& err, TextStyle style,
                                           std::function<std::size_t()> columns)
    : job_name_(std::move(job_name)), err_(err), style_(style), columns_(std::move(columns)) {}

std::string TerminalProgressView::Erasure() const {
  if (lines_drawn_ == 0) return {};
  return "\x1b[" + std::to_string(lines_drawn_) + "A\r\x1b[J";
}

void TerminalProgressView::Show(const JobProgress& progress) {
  estimate_.Add(progress);
  const auto lines = ProgressBlock(job_name_, progress, estimate_, columns_(), style_);
  // One write per frame: a terminal that paints between two writes would flicker.
  std::string frame = Erasure();
  for (const std::string& line : lines) frame += line + "\n";
  lines_drawn_ = lines.size();
  err_ << frame << std::flush;
}

void TerminalProgressView::Notice(const std::string& text) {
  err_ << Erasure() + "spillway: " + text + "\n" << std::flush;
  lines_drawn_ = 0;
}

void TerminalProgressView::Finish() {
  err_ << Erasure() << std::flush;
  lines_drawn_ = 0;
}

PlainProgressView::PlainProgressView(std::string job_name, std::ostream& err)
    : job_name_(std::move(job_name)), err_(err) {}

bool PlainProgressView::IsDue(const JobProgress& progress) const {
  if (progress.phase == JobProgress::Phase::kDone) return false;  // The summary says it.
  const std::uint64_t since_ms = progress.elapsed_ms - std::min(progress.elapsed_ms, shown_ms_);
  if (since_ms < kPlainMsMin) return false;
  return progress.phase != shown_phase_ || TenthOf(progress) > shown_tenth_ ||
         since_ms >= kPlainMsMax;
}

void PlainProgressView::Show(const JobProgress& progress) {
  // The clock is that of one job, and a round in disk mode is one.
  if (progress.stage != shown_stage_ || progress.elapsed_ms < shown_ms_) {
    shown_stage_ = progress.stage;
    shown_tenth_ = 0;
    shown_ms_ = 0;
  }
  estimate_.Add(progress);
  if (!IsDue(progress)) return;
  shown_phase_ = progress.phase;
  shown_tenth_ = TenthOf(progress);
  shown_ms_ = progress.elapsed_ms;
  err_ << "spillway: " + HeadOf(job_name_, progress) + " " +
              std::to_string(PhasePercent(progress)) + " % after " +
              FormatDuration(progress.elapsed_ms) + ": " + TasksText(progress) + ", " +
              InputText(progress, estimate_) + ", spilled " + FormatBytes(progress.spilled_bytes) +
              RemainingText(progress, estimate_) + "\n"
       << std::flush;
}

void PlainProgressView::Notice(const std::string& text) {
  err_ << "spillway: " + text + "\n" << std::flush;
}

void EventProgressView::Show(const JobProgress& progress) {
  out_ << ProgressJson(progress) + "\n" << std::flush;
}

void EventProgressView::Notice(const std::string& text) {
  err_ << "spillway: " + text + "\n" << std::flush;
}

void SilentProgressView::Notice(const std::string& text) {
  err_ << "spillway: " + text + "\n" << std::flush;
}

}  // namespace spillway
