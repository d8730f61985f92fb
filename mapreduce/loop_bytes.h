// LoopWriter and LoopReader: how the objects of an iterative job become bytes and come back. What
// is trivially copyable goes as it lies in memory; vectors and strings with their length before
// them. Bytes travel between processes of one build on machines of one kind. One thread each.
#pragma once

#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "mapreduce/abi.h"

namespace spillway {

/// Collects the bytes of one object; or hands them to a sink, large vectors without a copy.
class LoopWriter {
 public:
  LoopWriter() = default;
  /// Flush comes last.
  explicit LoopWriter(const spillway_sink& to) : to_(&to) {}

  template <class T>
  requires std::is_trivially_copyable_v<T>
  void Put(const T& value) { bytes_.append(reinterpret_cast<const char*>(&value), sizeof value); }

  template <class T>
  requires std::is_trivially_copyable_v<T>
  void Put(const std::vector<T>& values) {
    Put(std::uint64_t{values.size()});
    Append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
  }

  void Put(const std::string& text) {
    Put(std::uint64_t{text.size()});
    Append(text.data(), text.size());
  }

  /// Without a sink.
  const std::string& bytes() const { return bytes_; }

  /// To the sink. False: it wants no more.
  bool Flush() {
    Pass(bytes_.data(), bytes_.size());
    bytes_.clear();
    return !stopped_;
  }

 private:
  static constexpr std::size_t kDirectBytes = 16 << 10;

  void Append(const char* data, std::size_t bytes) {
    if (to_ == nullptr || bytes < kDirectBytes) {
      bytes_.append(data, bytes);
      return;
    }
    Flush();
    Pass(data, bytes);
  }
  void Pass(const char* data, std::size_t bytes) {
    stopped_ = stopped_ || (bytes != 0 && to_->put(to_->host, data, bytes) != 0);
  }

  const spillway_sink* to_ = nullptr;
  bool stopped_ = false;
  std::string bytes_;
};

/// Gives back what a LoopWriter was given, in the same order. Throws std::runtime_error when the
/// bytes end too early.
class LoopReader {
 public:
  explicit LoopReader(std::string_view bytes) : rest_(bytes) {}

  template <class T>
  requires std::is_trivially_copyable_v<T>
  void Get(T& value) { std::memcpy(&value, Take(sizeof value), sizeof value); }

  template <class T>
  requires std::is_trivially_copyable_v<T>
  void Get(std::vector<T>& values) {
    const std::uint64_t count = Count(sizeof(T));
    const char* const from = Take(count * sizeof(T));
    if (count == 0) {
      values.clear();
    } else if (reinterpret_cast<std::uintptr_t>(from) % alignof(T) == 0) {
      const T* const first = reinterpret_cast<const T*>(from);
      values.assign(first, first + count);  // Large ones are not filled with zeros before.
    } else {
      values.resize(count);
      std::memcpy(values.data(), from, count * sizeof(T));
    }
  }

  void Get(std::string& text) {
    const std::uint64_t count = Count(1);
    text.assign(Take(count), count);
  }

  bool at_end() const { return rest_.empty(); }

 private:
  const char* Take(std::uint64_t bytes) {
    if (bytes > rest_.size()) throw std::runtime_error("saved bytes of a loop end too early");
    const char* const at = rest_.data();
    rest_.remove_prefix(bytes);
    return at;
  }
  /// Checked before memory is taken for it.
  std::uint64_t Count(std::uint64_t each) {
    std::uint64_t count = 0;
    Get(count);
    if (count > rest_.size() / each)
      throw std::runtime_error("saved bytes of a loop end too early");
    return count;
  }

  std::string_view rest_;
};

}  // namespace spillway
