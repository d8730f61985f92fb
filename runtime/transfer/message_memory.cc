#include "runtime/transfer/message_memory.h"

#include <malloc.h>

namespace spillway {

void KeepMessageMemory() {
  // A message is never mapped by itself: unmapping it would be the same give and take.
  mallopt(M_MMAP_THRESHOLD, 2 << 20);
  mallopt(M_TRIM_THRESHOLD, 8 << 20);
}

}  // namespace spillway
