// ProgressReporter: the thread that asks a running job for its progress and hands it to a view.
// It also says what the job waits for, and what a signal does. Started by the constructor, ended by
// Stop or the destructor; both from the owner's thread.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "runtime/cli/progress_view.h"
#include "runtime/local/job_runner.h"

namespace spillway {

class ProgressReporter {
 public:
  /// `runner` and `view` outlive the reporter. `signal` answers the signal that asked to stop, or
  /// 0; it is called from the reporter's thread.
  ProgressReporter(const JobRunner& runner, ProgressView& view, std::function<int()> signal);
  ~ProgressReporter();

  /// Waits for the thread and finishes the view. May be called twice.
  void Stop();

 private:
  void Loop();

  const JobRunner& runner_;
  ProgressView& view_;
  const std::function<int()> signal_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;  // Guarded by mutex_.
  std::thread thread_;
};

}  // namespace spillway
