// Programs that the command runs for its user, such as cmake or itself: started, waited for, their
// output kept. Whoever calls waits. No shell takes part, so no word needs quoting. words[0] is
// found on PATH; stdin is at its end. NotFound when there is no such program; a program that fails
// is no error.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <string>
#include <vector>

#include "mapreduce/base/status.h"
#include "runtime/local/cancellable.h"

namespace spillway {

struct ChildEnd {
  int exit_code = 0;   ///< 128 + signal when a signal ended it.
  std::string output;  ///< stdout and stderr, as they came.
};

Result<ChildEnd> RunChild(const std::vector<std::string>& words);

struct MeasuredEnd {
  int exit_code = 0;  ///< 128 + signal when a signal ended it.
  std::string out, err;
  double wall_seconds = 0, user_seconds = 0, system_seconds = 0;
};

/// Runs programs one after the other and says what they took. A terminal's Ctrl-C does not reach
/// them, since each has a process group of its own; Cancel does, once, as SIGINT.
class MeasuredChild : public Cancellable {
 public:
  Result<MeasuredEnd> Run(const std::vector<std::string>& words);
  void Cancel() override;

 private:
  void TellOnce();

  std::atomic<pid_t> pid_{0};  ///< 0: none, or it has ended.
  std::atomic<bool> cancelled_{false}, told_{false};
  static_assert(std::atomic<pid_t>::is_always_lock_free, "a signal handler may not take a lock");
};

}  // namespace spillway
