// DaemonSignals: SIGTERM and SIGINT of a daemon, taken by a thread of their own, where anything may
// be called. Make it before any other thread, so that all of them have the signals blocked.
#pragma once

#include <functional>
#include <thread>

namespace spillway {

class DaemonSignals {
 public:
  DaemonSignals();
  /// Stops listening; waits for a handler that runs.
  ~DaemonSignals();
  DaemonSignals(const DaemonSignals&) = delete;
  DaemonSignals& operator=(const DaemonSignals&) = delete;

  /// `on_signal(signal, count)` is called for each, with how many there were.
  void Listen(std::function<void(int signal, int count)> on_signal);
  void Stop();

 private:
  std::thread thread_;
};

}  // namespace spillway
