// SlotPool: the threads that run attempts. Start hands a task to an idle thread, or to the next
// that becomes idle. Start from any thread.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace spillway {

class SlotPool {
 public:
  explicit SlotPool(std::uint32_t threads);

  /// Waits for running tasks, unless they were abandoned.
  ~SlotPool();
  SlotPool(const SlotPool&) = delete;
  SlotPool& operator=(const SlotPool&) = delete;

  /// The task is told the number of its thread, which is below `threads` and its own meanwhile.
  using Task = std::function<void(std::uint32_t slot)>;
  void Start(Task task);

  /// Gives up on tasks that do not end: their threads are left to themselves. What they use must
  /// stay alive, so the process should end soon.
  void Abandon();

 private:
  /// Outlives the pool while an abandoned thread runs.
  struct Shared {
    std::mutex mutex;
    std::condition_variable wake;
    std::deque<Task> tasks;  // Guarded by mutex, like stopping.
    bool stopping = false;
  };
  static void Loop(const std::shared_ptr<Shared>& shared, std::uint32_t slot);

  const std::shared_ptr<Shared> shared_;
  std::vector<std::thread> threads_;
};

}  // namespace spillway
