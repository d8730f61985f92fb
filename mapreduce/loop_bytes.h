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

/// Collects the bytes of one object.
class LoopWriter {
 public:
  template <class T>
  requires std::is_trivially_copyable_v<T>
  void Put(const T& value) { bytes_.append(reinterpret_cast<const char*>(&value), sizeof value); }

  template <class T>
  requires std::is_trivially_copyable_v<T>
  void Put(const std::vector<T>& values) {
    Put(std::uint64_t{values.size()});
    bytes_.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
  }

  void Put(const std::string& text) {
    Put(std::uint64_t{text.size()});
    bytes_.append(text);
  }

  const std::string& bytes() const { return bytes_; }

 private:
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
    values.resize(count);
    if (count != 0) std::memcpy(values.data(), Take(count * sizeof(T)), count * sizeof(T));
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
