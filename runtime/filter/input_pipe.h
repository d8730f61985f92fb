// InputPipe: the bytes of a pipe or a file that is read once from its beginning, in one buffer that
// grows when a record is longer. One thread.
#pragma once

#include <cstdint>
#include <string>

#include "mapreduce/base/status.h"
#include "shuffle/store/memory_budget.h"

namespace spillway {

struct InputPipeOptions {
  std::string name = "standard input";  ///< For messages.
  std::uint64_t buffer_bytes = 256 << 10;
  std::uint64_t record_bytes_max = std::uint64_t{1} << 30;
};

class InputPipe {
 public:
  /// `fd` stays the caller's; `budget` outlives the pipe.
  static Result<InputPipe> Open(int fd, const InputPipeOptions& options, MemoryBudget& budget);

  /// What was read and not consumed. Whoever reads may write there, too.
  /// SPILLWAY_PADDING_BYTES behind it are readable.
  char* data() const { return buffer_.data() + begin_; }
  std::uint64_t size() const { return filled_ - begin_; }
  /// Of data()[0] in the input.
  std::uint64_t offset() const { return offset_; }
  /// Nothing comes behind what is there.
  bool at_end() const { return at_end_; }
  const std::string& name() const { return options_.name; }

  void Consume(std::uint64_t bytes) {
    begin_ += bytes;
    offset_ += bytes;
  }

  /// Reads until the buffer is full, or to the end. data() moves. BadData when what is there, one
  /// record, is as long as any may be.
  Status ReadMore();

 private:
  InputPipe(int fd, const InputPipeOptions& options, MemoryBudget& budget, Buffer buffer)
      : fd_(fd), options_(options), budget_(&budget), buffer_(std::move(buffer)) {}

  Status Grow();

  int fd_;
  InputPipeOptions options_;
  MemoryBudget* budget_;
  Buffer buffer_;
  std::uint64_t begin_ = 0, filled_ = 0;
  std::uint64_t offset_ = 0;
  bool at_end_ = false;
};

}  // namespace spillway
