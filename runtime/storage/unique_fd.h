// UniqueFd: owns a file descriptor. One thread.
#pragma once

#include <unistd.h>

#include <utility>

namespace spillway {

class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(other.Release()) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    if (this != &other) {
      Reset();
      fd_ = other.Release();
    }
    return *this;
  }
  ~UniqueFd() { Reset(); }

  bool valid() const { return fd_ >= 0; }
  int get() const { return fd_; }

  /// Closes it now; what close() answers.
  int Reset() {
    const int fd = Release();
    return fd >= 0 ? ::close(fd) : 0;
  }
  /// Leaves it to the caller.
  int Release() { return std::exchange(fd_, -1); }

 private:
  int fd_ = -1;
};

}  // namespace spillway
