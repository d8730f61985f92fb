#include "runtime/cli/signal_trap.h"

#include <unistd.h>

#include <atomic>
#include <cerrno>

#include "mapreduce/base/check.h"
#include "runtime/cli/exit_code.h"

namespace spillway {
namespace {

// The only mutable globals of the command: a handler has nothing else to look at.
std::atomic<Cancellable*> g_work{nullptr};
std::atomic<int> g_signal{0};
static_assert(std::atomic<Cancellable*>::is_always_lock_free &&
                  std::atomic<int>::is_always_lock_free,
              "a signal handler may not take a lock");

void OnSignal(int signal) {
  const int saved_errno = errno;
  int none = 0;
  if (!g_signal.compare_exchange_strong(none, signal)) _exit(kExitSignalBase + signal);
  if (Cancellable* const work = g_work.load()) work->Cancel();
  errno = saved_errno;
}

}  // namespace

SignalTrap::SignalTrap(Cancellable& work) {
  SPILLWAY_CHECK(g_work.load() == nullptr);
  g_signal = 0;
  g_work = &work;
  struct sigaction action = {};
  action.sa_handler = OnSignal;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  for (std::size_t i = 0; i < std::size(kSignals); ++i) {
    SPILLWAY_CHECK_EQ(sigaction(kSignals[i], nullptr, &former_[i]), 0);
    if (former_[i].sa_handler != SIG_IGN)
      SPILLWAY_CHECK_EQ(sigaction(kSignals[i], &action, nullptr), 0);
  }
}

SignalTrap::~SignalTrap() {
  for (std::size_t i = 0; i < std::size(kSignals); ++i)
    sigaction(kSignals[i], &former_[i], nullptr);
  g_work = nullptr;
}

int SignalTrap::signal() const { return g_signal.load(); }

}  // namespace spillway
