#include "runtime/filter/output_pipe.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "runtime/storage/posix_error.h"

namespace spillway {
namespace {

constexpr std::uint64_t kBufferBytes = 256 << 10;

Status WriteAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(fd, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return PosixError(errno, "write", "standard output");
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
  return OkStatus();
}

}  // namespace

Result<OutputPipe> OutputPipe::Open(int fd, MemoryBudget& budget) {
  SPILLWAY_ASSIGN_OR_RETURN(Buffer buffer, Buffer::AllocateForced(budget, kBufferBytes));
  return OutputPipe(fd, budget, std::move(buffer));
}

Status OutputPipe::Flush() {
  const Status written = WriteAll(fd_, {buffer_.data(), filled_});
  filled_ = 0;
  return written;
}

Status OutputPipe::Append(std::string_view bytes) {
  if (bytes.size() > buffer_.size() - filled_) SPILLWAY_RETURN_IF_ERROR(Flush());
  if (bytes.size() > buffer_.size()) return WriteAll(fd_, bytes);
  std::memcpy(buffer_.data() + filled_, bytes.data(), bytes.size());
  filled_ += bytes.size();
  return OkStatus();
}

Result<char*> OutputPipe::Room(std::uint64_t bytes) {
  if (bytes > buffer_.size() - filled_) SPILLWAY_RETURN_IF_ERROR(Flush());
  if (bytes > buffer_.size()) {
    SPILLWAY_ASSIGN_OR_RETURN(buffer_, Buffer::AllocateForced(*budget_, bytes));
  }
  return buffer_.data() + filled_;
}

}  // namespace spillway
