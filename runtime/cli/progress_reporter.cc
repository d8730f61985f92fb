#include "runtime/cli/progress_reporter.h"

#include <utility>

namespace spillway {

ProgressReporter::ProgressReporter(const JobRunner& runner, ProgressView& view,
                                   std::function<int()> signal)
    : runner_(runner), view_(view), signal_(std::move(signal)), thread_([this] { Loop(); }) {}

ProgressReporter::~ProgressReporter() { Stop(); }

void ProgressReporter::Stop() {
  if (!thread_.joinable()) return;
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
  view_.Finish();
}

void ProgressReporter::Loop() {
  bool noticed = false;
  std::string note;
  std::unique_lock lock(mutex_);
  // The first look comes after one period: a short job shows no progress at all.
  while (!wake_.wait_for(lock, view_.period(), [this] { return stopping_; })) {
    if (!noticed && signal_() != 0) {
      noticed = true;
      view_.Notice("stopping and removing temporary output; the same signal again forces it.");
    }
    const JobProgress progress = runner_.progress();
    if (progress.note != note && !progress.note.empty()) view_.Notice(progress.note);
    note = progress.note;
    view_.Show(progress);
  }
}

}  // namespace spillway
