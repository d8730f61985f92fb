#include "shuffle/engine/memory_share.h"

namespace spillway {

Result<Buffer> TakeMemory(MemoryBudget& budget, const MemoryShare& share) {
  for (std::uint64_t bytes = share.bytes;; bytes /= 2) {
    Result<Buffer> buffer = Buffer::AllocateRecycled(budget, bytes);
    if (buffer.ok()) return buffer;
    if (bytes / 2 < share.bytes_min) return Buffer::AllocateForced(budget, bytes);
  }
}

}  // namespace spillway
