// SignalTrap: while it lives, the first SIGINT, SIGTERM or SIGHUP cancels the work and a second one
// ends the process at once; scratch files are then swept at the next start. One trap at a time,
// because signal handlers have no argument to find their object by.
#pragma once

#include <csignal>

#include "runtime/local/cancellable.h"

namespace spillway {

class SignalTrap {
 public:
  /// `work` outlives the trap. A signal that was ignored before (nohup) stays ignored.
  explicit SignalTrap(Cancellable& work);
  ~SignalTrap();  ///< Restores the former handlers.
  SignalTrap(const SignalTrap&) = delete;
  SignalTrap& operator=(const SignalTrap&) = delete;

  /// The first signal, or 0. Any thread.
  int signal() const;

 private:
  static constexpr int kSignals[] = {SIGINT, SIGTERM, SIGHUP};
  struct sigaction former_[3];
};

}  // namespace spillway
