// WakeEvent: a file descriptor by which any thread ends another's Poller::Wait. Thread-safe.
#pragma once

#include "runtime/storage/unique_fd.h"

namespace spillway {

class WakeEvent {
 public:
  /// CHECKs that the process may open one more file.
  WakeEvent();

  /// For Poller::AddFd; readable after Set.
  int fd() const { return fd_.get(); }
  void Set() const;
  void Clear() const;

 private:
  UniqueFd fd_;
};

}  // namespace spillway
