#include "runtime/filter/input_pipe.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "mapreduce/base/units.h"
#include "runtime/storage/posix_error.h"

namespace spillway {

Result<InputPipe> InputPipe::Open(int fd, const InputPipeOptions& options, MemoryBudget& budget) {
  SPILLWAY_ASSIGN_OR_RETURN(Buffer buffer, Buffer::AllocateForced(budget, options.buffer_bytes));
  return InputPipe(fd, options, budget, std::move(buffer));
}

Status InputPipe::Grow() {
  if (buffer_.size() >= options_.record_bytes_max)
    return BadData(options_.name + ":" + std::to_string(offset_) + ": a record has no end within " +
                   FormatBytes(options_.record_bytes_max));
  SPILLWAY_ASSIGN_OR_RETURN(Buffer larger, Buffer::AllocateForced(*budget_, 2 * buffer_.size()));
  std::memcpy(larger.data(), buffer_.data(), filled_);
  buffer_ = std::move(larger);
  return OkStatus();
}

Status InputPipe::ReadMore() {
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, filled_ - begin_);
    filled_ -= begin_;
    begin_ = 0;
  }
  if (filled_ == buffer_.size()) SPILLWAY_RETURN_IF_ERROR(Grow());
  while (filled_ < buffer_.size()) {
    const ssize_t got = ::read(fd_, buffer_.data() + filled_, buffer_.size() - filled_);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return PosixError(errno, "read", options_.name);
    if (got == 0) {
      at_end_ = true;
      break;
    }
    filled_ += static_cast<std::uint64_t>(got);
  }
  return OkStatus();
}

}  // namespace spillway
