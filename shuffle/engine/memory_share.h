// The memory of a collector, taken from the process's budget. Any thread.
#pragma once

#include <cstdint>

#include "shuffle/store/memory_budget.h"

namespace spillway {

struct MemoryShare {
  std::uint64_t bytes = 0;      ///< What the collector may take.
  std::uint64_t bytes_min = 0;  ///< With less it does not work, or not well.
};

/// The share, or as large a part of it as the budget has left. Starting with less only means more
/// spills; the least is taken even from an empty budget. The content is arbitrary.
Result<Buffer> TakeMemory(MemoryBudget& budget, const MemoryShare& share);

}  // namespace spillway
