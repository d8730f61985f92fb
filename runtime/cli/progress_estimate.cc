#include "runtime/cli/progress_estimate.h"

#include "runtime/cli/quantity_text.h"

namespace spillway {
namespace {

constexpr std::uint64_t kWindowMs = 5'000;      // Long enough to smooth a spill, short enough to
                                                // follow a disk that slows down.
constexpr std::uint64_t kGuessBelowMs = 1'000;  // No forecast from less than this.

/// Of the reduce phase: combine tasks are its work as well.
std::uint32_t DoneOf(const JobProgress& progress) {
  return progress.reduces_done + progress.combines_done;
}
std::uint32_t TotalOf(const JobProgress& progress) {
  return progress.reduces_total + progress.combines_total;
}

}  // namespace

std::string_view PhaseName(JobProgress::Phase phase) {
  switch (phase) {
    case JobProgress::Phase::kPreparing: return "preparing";
    case JobProgress::Phase::kMap: return "map";
    case JobProgress::Phase::kReduce: return "reduce";
    case JobProgress::Phase::kCommit: return "commit";
    case JobProgress::Phase::kDone: return "done";
  }
  return "unknown";
}

unsigned PhasePercent(const JobProgress& progress) {
  switch (progress.phase) {
    case JobProgress::Phase::kPreparing: return 0;
    case JobProgress::Phase::kMap:
      if (progress.input_bytes_total > 0)
        return Percent(progress.input_bytes_read, progress.input_bytes_total);
      return Percent(progress.maps_done, progress.maps_total);
    case JobProgress::Phase::kReduce: return Percent(DoneOf(progress), TotalOf(progress));
    case JobProgress::Phase::kCommit:
    case JobProgress::Phase::kDone: return 100;
  }
  return 0;
}

void ProgressEstimate::Add(const JobProgress& progress) {
  if (progress.stage != last_.stage || progress.elapsed_ms < last_.elapsed_ms) *this = {};
  if (progress.phase != last_.phase) {
    phase_started_ms_ = progress.elapsed_ms;
    done_at_phase_start_ = DoneOf(progress);
  }
  last_ = progress;
  // A task that is run again reads its split again: the count may go back, and the rate restarts.
  if (!window_.empty() && progress.input_bytes_read < window_.back().input_bytes) window_.clear();
  window_.push_back({progress.elapsed_ms, progress.input_bytes_read});
  while (window_.size() > 2 && progress.elapsed_ms - window_.front().elapsed_ms > kWindowMs)
    window_.pop_front();
}

std::uint64_t ProgressEstimate::input_bytes_per_second() const {
  if (window_.size() < 2) return 0;
  const std::uint64_t ms = window_.back().elapsed_ms - window_.front().elapsed_ms;
  const std::uint64_t bytes = window_.back().input_bytes - window_.front().input_bytes;
  if (ms == 0) return 0;
  return static_cast<std::uint64_t>(static_cast<double>(bytes) * 1e3 / static_cast<double>(ms));
}

std::optional<std::uint64_t> ProgressEstimate::phase_remaining_ms() const {
  const std::uint64_t spent_ms = last_.elapsed_ms - phase_started_ms_;
  if (spent_ms < kGuessBelowMs) return std::nullopt;
  if (last_.phase == JobProgress::Phase::kMap) {
    const std::uint64_t rate = input_bytes_per_second();
    if (rate == 0 || last_.input_bytes_total < last_.input_bytes_read) return std::nullopt;
    const std::uint64_t left = last_.input_bytes_total - last_.input_bytes_read;
    return static_cast<std::uint64_t>(static_cast<double>(left) * 1e3 / static_cast<double>(rate));
  }
  if (last_.phase == JobProgress::Phase::kReduce && DoneOf(last_) > done_at_phase_start_ &&
      TotalOf(last_) >= DoneOf(last_)) {
    const std::uint64_t done = DoneOf(last_) - done_at_phase_start_;
    return spent_ms * (TotalOf(last_) - DoneOf(last_)) / done;
  }
  return std::nullopt;
}

}  // namespace spillway
