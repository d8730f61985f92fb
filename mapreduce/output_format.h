// OutputFormat: how results become the bytes of a part file. A format is a class with
//   void Write(const KeyView& key, const ValueView& value, OutputBuffer& out);
// as an overload or template for the types it prints, and a static constexpr const char* kName.
// Optional: Status Setup(TaskContext&), void Begin(OutputBuffer&), void End(OutputBuffer&); and, in
// a job that writes the sorted pairs themselves, void BeginGroup(const KeyView&, OutputBuffer&)
// before the first pair of each group. One object per task, one thread. Results come in key order.
// Built in: TextOutput, RawOutput (builtin/text_output.h).
#pragma once

#include <charconv>
#include <concepts>
#include <cstdint>
#include <memory>
#include <string_view>
#include <type_traits>

#include "mapreduce/abi.h"
#include "mapreduce/base/decimal.h"
#include "mapreduce/base/short_copy.h"
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
    Advance(Put(text, end()));
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
    Advance(Put(number, end()));
  }

  /// Texts, characters and numbers one behind the other, as in `out.Append(path, ':', offset)`;
  /// cheaper than one by one.
  template <class First, class... Rest>
  requires(sizeof...(Rest) > 0) void Append(const First& first, const Rest&... rest) {
    const std::size_t room = (RoomFor(first) + ... + RoomFor(rest));
    if (room > kBytes - used_) [[unlikely]] {
      AppendPart(first);
      (AppendPart(rest), ...);
      return;
    }
    char* to = Put(first, end());
    ((to = Put(rest, to)), ...);
    Advance(to);
  }

  void Flush() {
    if (used_ != 0 && task_->write(task_->host, data_.get(), used_) != 0)
      throw internal::StopTask{};
    used_ = 0;
  }

 private:
  static constexpr std::size_t kBytes = 256 << 10;
  static constexpr std::size_t kNumberBytesMax = 64;

  template <class Part>
  static constexpr bool kIsText = std::is_convertible_v<const Part&, std::string_view>;

  char* end() const { return data_.get() + used_; }
  void Advance(const char* to) { used_ = static_cast<std::size_t>(to - data_.get()); }

  template <class Part>
  static std::size_t RoomFor(const Part& part) {
    if constexpr (kIsText<Part>) return std::string_view(part).size();
    return kNumberBytesMax;
  }

  template <class Part>
  void AppendPart(const Part& part) {
    if constexpr (kIsText<Part> || std::same_as<Part, char>) {
      Append(part);
    } else {
      AppendNumber(part);
    }
  }

  template <class Part>
  static char* Put(const Part& part, char* to) {
    if constexpr (kIsText<Part>) {
      const std::string_view text(part);
      return CopyShort(to, text.data(), text.size());
    } else if constexpr (std::same_as<Part, char>) {
      *to = part;
      return to + 1;
    } else if constexpr (std::unsigned_integral<Part> && sizeof(Part) <= 8) {
      return PutDecimal(to, part);
    } else {
      return std::to_chars(to, to + kNumberBytesMax, part).ptr;
    }
  }

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
