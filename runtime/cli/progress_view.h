// ProgressView: how a running job is shown. One view belongs to the thread that reports progress
// (ProgressReporter) until that has stopped.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/cli/progress_estimate.h"
#include "runtime/cli/text_style.h"
#include "runtime/local/job_runner.h"

namespace spillway {

class ProgressView {
 public:
  virtual ~ProgressView() = default;

  /// Time between two calls of Show.
  virtual std::chrono::milliseconds period() const = 0;
  virtual void Show(const JobProgress& progress) = 0;
  /// One line that stays.
  virtual void Notice(const std::string& text) = 0;
  /// Takes away what Show left on a terminal. Nothing is called afterwards.
  virtual void Finish() = 0;
};

/// A block of three lines, redrawn in place; gone after Finish.
class TerminalProgressView : public ProgressView {
 public:
  TerminalProgressView(std::string job_name, std::ostream& err, TextStyle style,
                       std::function<std::size_t()> columns);
  std::chrono::milliseconds period() const override { return std::chrono::milliseconds(150); }
  void Show(const JobProgress& progress) override;
  void Notice(const std::string& text) override;
  void Finish() override;

 private:
  std::string Erasure() const;

  const std::string job_name_;
  std::ostream& err_;
  const TextStyle style_;
  const std::function<std::size_t()> columns_;
  ProgressEstimate estimate_;
  std::size_t lines_drawn_ = 0;
};

/// Sparse lines for logs: at each tenth of a phase, but no more than one a second, and every few
/// seconds in a slow phase.
class PlainProgressView : public ProgressView {
 public:
  PlainProgressView(std::string job_name, std::ostream& err);
  std::chrono::milliseconds period() const override { return std::chrono::milliseconds(200); }
  void Show(const JobProgress& progress) override;
  void Notice(const std::string& text) override;
  void Finish() override {}

 private:
  bool IsDue(const JobProgress& progress) const;

  const std::string job_name_;
  std::ostream& err_;
  ProgressEstimate estimate_;
  JobProgress::Phase shown_phase_ = JobProgress::Phase::kPreparing;
  std::string shown_stage_;
  unsigned shown_tenth_ = 0;
  std::uint64_t shown_ms_ = 0;
};

/// JSON lines on `out`; notices on `err`.
class EventProgressView : public ProgressView {
 public:
  EventProgressView(std::ostream& out, std::ostream& err) : out_(out), err_(err) {}
  std::chrono::milliseconds period() const override { return std::chrono::milliseconds(500); }
  void Show(const JobProgress& progress) override;
  void Notice(const std::string& text) override;
  void Finish() override {}

 private:
  std::ostream& out_;
  std::ostream& err_;
};

/// Notices only.
class SilentProgressView : public ProgressView {
 public:
  explicit SilentProgressView(std::ostream& err) : err_(err) {}
  std::chrono::milliseconds period() const override { return std::chrono::milliseconds(200); }
  void Show(const JobProgress&) override {}
  void Notice(const std::string& text) override;
  void Finish() override {}

 private:
  std::ostream& err_;
};

/// The block's lines, cut to `columns`. For TerminalProgressView and its tests.
std::vector<std::string> ProgressBlock(const std::string& job_name, const JobProgress& progress,
                                       const ProgressEstimate& estimate, std::size_t columns,
                                       TextStyle style);

}  // namespace spillway
