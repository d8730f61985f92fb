// Counter: a number that a job adds up over all its tasks and shows in its summary. Obtain it once,
// in Setup; adding is one addition in memory. Only successful attempts count, so a retried task
// does not count twice. One task, one thread.
#pragma once

#include <cstdint>

namespace spillway {

class Counter {
 public:
  Counter() = default;
  explicit Counter(std::uint64_t* cell) : cell_(cell) {}

  void Add(std::uint64_t n) { *cell_ += n; }
  void Increment() { Add(1); }

 private:
  static inline thread_local std::uint64_t unused_ = 0;
  std::uint64_t* cell_ = &unused_;  ///< The host's, for as long as the task runs.
};

}  // namespace spillway
