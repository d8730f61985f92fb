#include "runtime/worker/slot_pool.h"

namespace spillway {

SlotPool::SlotPool(std::uint32_t threads) : shared_(std::make_shared<Shared>()) {
  for (std::uint32_t i = 0; i < threads; ++i)
    threads_.emplace_back([shared = shared_, i] { Loop(shared, i); });
}

SlotPool::~SlotPool() {
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->stopping = true;
  }
  shared_->wake.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void SlotPool::Start(Task task) {
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->tasks.push_back(std::move(task));
  }
  shared_->wake.notify_one();
}

void SlotPool::Abandon() {
  for (std::thread& thread : threads_) thread.detach();
  threads_.clear();
}

void SlotPool::Loop(const std::shared_ptr<Shared>& shared, std::uint32_t slot) {
  while (true) {
    Task task;
    {
      std::unique_lock lock(shared->mutex);
      shared->wake.wait(lock, [&] { return shared->stopping || !shared->tasks.empty(); });
      if (shared->tasks.empty()) return;
      task = std::move(shared->tasks.front());
      shared->tasks.pop_front();
    }
    task(slot);
  }
}

}  // namespace spillway
