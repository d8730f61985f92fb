// OutputPipe: bytes to a pipe or a file, gathered in one buffer. One thread.
#pragma once

#include <cstdint>
#include <string_view>

#include "mapreduce/base/status.h"
#include "shuffle/store/memory_budget.h"

namespace spillway {

class OutputPipe {
 public:
  /// `fd` stays the caller's; `budget` outlives the pipe.
  static Result<OutputPipe> Open(int fd, MemoryBudget& budget);

  Status Append(std::string_view bytes);

  /// Where the next `bytes`, or fewer, may be written; then say where they end.
  Result<char*> Room(std::uint64_t bytes);
  void Advance(const char* end) { filled_ = static_cast<std::uint64_t>(end - buffer_.data()); }

  /// Nothing is written before that or before the buffer is full.
  Status Flush();

 private:
  OutputPipe(int fd, MemoryBudget& budget, Buffer buffer)
      : fd_(fd), budget_(&budget), buffer_(std::move(buffer)) {}

  int fd_;
  MemoryBudget* budget_;
  Buffer buffer_;
  std::uint64_t filled_ = 0;
};

}  // namespace spillway
