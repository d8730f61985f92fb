#include "runtime/transport/curve_key.h"

#include <array>
#include <cstdint>
#include <zmq.hpp>

#include "mapreduce/base/check.h"
#include "runtime/transport/transport_options.h"

namespace spillway {
namespace {

constexpr std::string_view kPunctuation = ".-:+=^!/*?&<>()[]{}@%$#";

bool IsZ85(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         kPunctuation.find(c) != kPunctuation.npos;
}

}  // namespace

bool IsCurveKey(std::string_view text) {
  if (text.size() != kKeyChars) return false;
  // The library looks the characters up in a table without asking whether they are in it.
  for (const char c : text) {
    if (!IsZ85(c)) return false;
  }
  std::array<std::uint8_t, 32> bytes{};
  return zmq_z85_decode(bytes.data(), std::string(text).c_str()) != nullptr;
}

std::string PublicKeyOf(const std::string& secret_key) {
  SPILLWAY_CHECK(IsCurveKey(secret_key));
  std::array<char, kKeyChars + 1> public_key{};
  SPILLWAY_CHECK_EQ(zmq_curve_public(public_key.data(), secret_key.c_str()), 0);
  return public_key.data();
}

}  // namespace spillway
