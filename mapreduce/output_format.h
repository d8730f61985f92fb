// OutputFormat: how results become the bytes of a part file. A format is a class with
//   void Write(const KeyView& key, const ValueView& value, OutputBuffer& out);
// as an overload or template for the types it prints, and a static constexpr const char* kName.
// Optional: Status Setup(TaskContext&), void Begin(OutputBuffer&), void End(OutputBuffer&); and, in
// a job that writes the sorted pairs themselves, void BeginGroup(const KeyView&, OutputBuffer&)
// before the first pair of each group. One object per task, one thread. Results come in key order.
// Built in: TextOutput, RawOutput (builtin/text_output.h).
#pragma once

#include <algorithm>
#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "mapreduce/abi.h"
#include "mapreduce/base/decimal.h"
#include "mapreduce/base/short_copy.h"
#include "mapreduce/emitter.h"

namespace spillway {

/// Collects formatted bytes and hands them to the task's part file in pieces of 256 KiB.
class OutputBuffer {
 public:
  explicit OutputBuffer(spillway_task* task) : OutputBuffer(task, kPartBytes) {}

  /// For a file of the task in a directory of the job's output. Throws std::runtime_error when the
  /// command is too old for it.
  OutputBuffer(spillway_task* task, std::string_view directory)
      : OutputBuffer(task, kDirectoryBytes) {
    Enter(directory);
  }

  /// What follows is for this directory. What came before is handed on.
  void Enter(std::string_view directory) {
    Flush();
    constexpr std::size_t kNeeded = offsetof(spillway_task, write_to) + sizeof task_->write_to;
    if (task_->struct_bytes < kNeeded)
      throw std::runtime_error(
          "this Spillway command is older than its plugin and knows no "
          "directories of an output: install the newer one");
    directory_.assign(directory);
  }
  std::string_view directory() const { return directory_; }

  /// The records of the task's part are its lines: for a result that no format writes.
  void CountLines() { counts_lines_ = true; }

  /// A record for a directory is whole.
  void EndRecord() { ++records_; }

  void Append(std::string_view text) {
    if (text.size() > bytes_ - used_) [[unlikely]] {
      AppendSlowly(text);
      return;
    }
    Advance(Put(text, end()));
  }

  void Append(char c) {
    if (used_ == bytes_) [[unlikely]]
      Flush();
    data_[used_++] = c;
  }

  /// Shortest text that reads back as the same number.
  template <class Number>
  void AppendNumber(Number number) {
    if (bytes_ - used_ < kNumberBytesMax) [[unlikely]]
      Flush();
    Advance(Put(number, end()));
  }

  /// Texts, characters and numbers one behind the other, as in `out.Append(path, ':', offset)`;
  /// cheaper than one by one.
  template <class First, class... Rest>
  requires(sizeof...(Rest) > 0) void Append(const First& first, const Rest&... rest) {
    const std::size_t room = (RoomFor(first) + ... + RoomFor(rest));
    if (room > bytes_ - used_) [[unlikely]] {
      AppendPart(first);
      (AppendPart(rest), ...);
      return;
    }
    char* to = Put(first, end());
    ((to = Put(rest, to)), ...);
    Advance(to);
  }

  void Flush() {
    if (used_ != 0 || records_ != 0) Send(data_.get(), used_);
    used_ = 0;
  }

 private:
  static constexpr std::size_t kPartBytes = 256 << 10;
  static constexpr std::size_t kDirectoryBytes = 32 << 10;  // A task may have many.
  static constexpr std::size_t kNumberBytesMax = 64;

  OutputBuffer(spillway_task* task, std::size_t bytes)
      : task_(task), data_(std::make_unique_for_overwrite<char[]>(bytes)), bytes_(bytes) {}

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
    if (text.size() >= bytes_) {
      Send(text.data(), text.size());
      return;
    }
    Append(text);
  }

  void Send(const char* data, std::size_t bytes) {
    if (counts_lines_ && directory_.empty())
      task_->records_out += static_cast<std::uint64_t>(std::count(data, data + bytes, '\n'));
    const int stopped = directory_.empty()
                            ? task_->write(task_->host, data, bytes)
                            : task_->write_to(task_->host, directory_.data(), directory_.size(),
                                              data, bytes, std::exchange(records_, 0));
    if (stopped != 0) throw internal::StopTask{};
  }

  spillway_task* task_;
  std::unique_ptr<char[]> data_;
  std::size_t bytes_;
  std::size_t used_ = 0;
  std::string directory_;      ///< Empty: the task's part.
  std::uint64_t records_ = 0;  ///< Ended since the last piece; of a directory alone.
  bool counts_lines_ = false;
};

}  // namespace spillway
