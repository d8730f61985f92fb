#include "runtime/transfer/wake_event.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>

#include "mapreduce/base/check.h"

namespace spillway {

WakeEvent::WakeEvent() : fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  SPILLWAY_CHECK_LE(0, fd_.get());
}

// Neither can fail but when the counter is full or empty, and then it is what it shall be.
void WakeEvent::Set() const {
  const std::uint64_t one = 1;
  (void)!write(fd_.get(), &one, sizeof one);
}

void WakeEvent::Clear() const {
  std::uint64_t count;
  (void)!read(fd_.get(), &count, sizeof count);
}

}  // namespace spillway
