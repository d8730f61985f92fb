// WorkerMemory: how a worker divides its budget among its daemon and its executors, of which there
// is one for each job. Pure arithmetic. Any thread.
//
// Tasks' memory goes with the slots, not with the executors: all executors of a worker together run
// as many tasks at once as it has slots, so each may plan as if it had all of them, less what the
// other executors need before they run anything. That way a job which has the worker to itself has
// all of the memory, a second one costs it only what a process costs, and nobody has to wait until
// others give something back.
#pragma once

#include <cstdint>

namespace spillway {

class WorkerMemory {
 public:
  /// What an executor takes that runs nothing: program, libraries, plugin, idle threads.
  static constexpr std::uint64_t kExecutorBytes = 32ull << 20;
  /// Least that a slot is good for: a task's least share, its buffers and its thread.
  static constexpr std::uint64_t kSlotBytesMin = 4ull << 20;
  /// What the daemon itself needs: the program, and the answers that it is sending to fetchers.
  static constexpr std::uint64_t kDaemonBytes = 24ull << 20;
  /// However much memory there is: more processes than this that do nothing are of no use.
  static constexpr std::uint32_t kExecutorsMax = 64;

  /// `slots` of at least 1 as asked for.
  WorkerMemory(std::uint64_t total_bytes, std::uint32_t slots);

  /// As asked, or as many as the memory can carry with a job of its own in each; at least 1.
  std::uint32_t slots() const { return slots_; }

  /// Executors that may be alive at once; at least slots(). Before another one starts, one that
  /// runs nothing has to end.
  std::uint32_t executors_max() const { return executors_max_; }

  /// What each of so many executors plans its tasks with, itself included. With two slots or more
  /// there is room for one executor beyond them, so that it can start while tasks run whose memory
  /// was planned before it came.
  std::uint64_t executor_bytes(std::uint32_t executors) const;

 private:
  std::uint64_t shared_bytes_ = 0;  // All but the daemon's.
  std::uint32_t slots_ = 1;
  std::uint32_t executors_max_ = 1;
};

}  // namespace spillway
