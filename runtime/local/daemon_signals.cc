#include "runtime/local/daemon_signals.h"

#include <pthread.h>

#include <csignal>
#include <utility>

namespace spillway {

namespace {

/// Ends the listening thread; no daemon is sent it otherwise.
constexpr int kStopSignal = SIGUSR2;

sigset_t Signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, kStopSignal}) sigaddset(&set, signal);
  return set;
}

}  // namespace

DaemonSignals::DaemonSignals() {
  const sigset_t set = Signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGHUP, SIG_IGN);
}

DaemonSignals::~DaemonSignals() { Stop(); }

void DaemonSignals::Listen(std::function<void(int signal, int count)> on_signal) {
  thread_ = std::thread([on_signal = std::move(on_signal)] {
    const sigset_t set = Signals();
    int count = 0;
    for (int signal = 0; sigwait(&set, &signal) == 0 && signal != kStopSignal;)
      on_signal(signal, ++count);
  });
}

void DaemonSignals::Stop() {
  if (!thread_.joinable()) return;
  pthread_kill(thread_.native_handle(), kStopSignal);
  thread_.join();
}

}  // namespace spillway
