// FuzzSteps: a fuzzer's input as a list of steps, each a byte that chooses and bytes that go with
// it: choice, two bytes of length (little-endian), the bytes. Whatever the input is, it is such a
// list.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

namespace spillway {

class FuzzSteps {
 public:
  FuzzSteps(const unsigned char* data, std::size_t size)
      : rest_(reinterpret_cast<const char*>(data), size) {}

  /// False at the end.
  bool Next(std::uint8_t* choice, std::string_view* bytes) {
    if (rest_.size() < kHeadBytes) return false;
    *choice = static_cast<std::uint8_t>(rest_[0]);
    const std::size_t length = static_cast<std::uint8_t>(rest_[1]) |
                               static_cast<std::size_t>(static_cast<std::uint8_t>(rest_[2])) << 8;
    *bytes = rest_.substr(kHeadBytes, std::min(length, rest_.size() - kHeadBytes));
    rest_.remove_prefix(kHeadBytes + bytes->size());
    return true;
  }

  static void Append(std::string& input, std::uint8_t choice, std::string_view bytes) {
    input += static_cast<char>(choice);
    input += static_cast<char>(bytes.size() & 0xff);
    input += static_cast<char>(bytes.size() >> 8);
    input += bytes;
  }

 private:
  static constexpr std::size_t kHeadBytes = 3;
  std::string_view rest_;
};

}  // namespace spillway
