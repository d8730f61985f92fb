#include "runtime/core/worker_memory.h"

#include <algorithm>

namespace spillway {

WorkerMemory::WorkerMemory(std::uint64_t total_bytes, std::uint32_t slots)
    : shared_bytes_(total_bytes - std::min(kDaemonBytes, total_bytes / 2)) {
  const std::uint64_t carried = shared_bytes_ / (kExecutorBytes + kSlotBytesMin);
  slots_ = static_cast<std::uint32_t>(std::clamp<std::uint64_t>(carried, 1, slots));
  const std::uint64_t for_slots = slots_ * kSlotBytesMin;
  const std::uint64_t rest = shared_bytes_ - std::min(shared_bytes_, for_slots);
  const std::uint32_t most = std::max(kExecutorsMax, slots_);
  executors_max_ =
      static_cast<std::uint32_t>(std::clamp<std::uint64_t>(rest / kExecutorBytes, slots_, most));
}

std::uint64_t WorkerMemory::executor_bytes(std::uint32_t executors) const {
  const std::uint32_t coming = slots_ > 1 ? 1 : 0;
  const std::uint32_t counted = std::clamp(executors + coming, 1u, executors_max_);
  return shared_bytes_ - (counted - 1) * kExecutorBytes;
}

}  // namespace spillway
