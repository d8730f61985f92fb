// OutputFormat: how results become the bytes of a part file. A format is a class with
//   void Write(const KeyView& key, const ValueView& value, OutputBuffer& out);
// as an overload or template for the types it prints, and a static constexpr const char* kName.
// Optional: Status Setup(TaskContext&), void Begin(OutputBuffer&), void End(OutputBuffer&). One
// object per task, one thread. Results come in key order.
// Built in: TextOutput, RawOutput (builtin/text_output.h).
#pragma once

#include <charconv>
#include <cstring>
#include <memory>
#include <string_view>

#include "mapreduce/abi.h"
#include "mapreduce/emitter.h"

namespace spillway {

/// Collects formatted bytes and hands them to the task's part file in pieces of 256 KiB.
class OutputBuffer {
 public:
  explicit OutputBuffer(spillway_task* task)
      : task_(task), data_(std::make_unique_for_overwrite<char[]>(kBytes)) {}

  void Append(std::string_view text) {
    if (text.size() > kBytes - used_) [[unlikely]] {
      AppendSlowly(text);
      return;
    }
    std::memcpy(data_.get() + used_, text.data(), text.size());
    used_ += text.size();
  }

  void Append(char c) {
    if (used_ == kBytes) [[unlikely]]
      Flush();
    data_[used_++] = c;
  }

  /// Shortest text that reads back as the same number.
  template <class Number>
  void AppendNumber(Number number) {
    if (kBytes - used_ < kNumberBytesMax) [[unlikely]]
      Flush();
    used_ = static_cast<std::size_t>(
        std::to_chars(data_.get() + used_, data_.get() + kBytes, number).ptr - data_.get());
  }

  void Flush() {
    if (used_ != 0 && task_->write(task_->host, data_.get(), used_) != 0)
      throw internal::StopTask{};
    used_ = 0;
  }

 private:
  static constexpr std::size_t kBytes = 256 << 10;
  static constexpr std::size_t kNumberBytesMax = 64;

  [[gnu::noinline]] void AppendSlowly(std::string_view text) {
    Flush();
    if (text.size() >= kBytes) {
      if (task_->write(task_->host, text.data(), text.size()) != 0) throw internal::StopTask{};
      return;
    }
    Append(text);
  }

  spillway_task* task_;
  std::unique_ptr<char[]> data_;
  std::size_t used_ = 0;
};

}  // namespace spillway
