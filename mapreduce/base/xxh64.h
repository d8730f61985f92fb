// XXH64, the 64-bit xxHash of Yann Collet (github.com/Cyan4973/xxHash, doc/xxhash_spec.md), with
// seed 0: the checksum of formats that plugins read and write themselves, which link no library.
// Inside the engine the library's XXH3 is used. Pure, inline.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "mapreduce/base/coding.h"

namespace spillway {

namespace internal {

inline constexpr std::uint64_t kXxhPrime1 = 0x9e3779b185ebca87;
inline constexpr std::uint64_t kXxhPrime2 = 0xc2b2ae3d27d4eb4f;
inline constexpr std::uint64_t kXxhPrime3 = 0x165667b19e3779f9;
inline constexpr std::uint64_t kXxhPrime4 = 0x85ebca77c2b2ae63;
inline constexpr std::uint64_t kXxhPrime5 = 0x27d4eb2f165667c5;

inline std::uint64_t XxhRound(std::uint64_t lane, std::uint64_t input) {
  return std::rotl(lane + input * kXxhPrime2, 31) * kXxhPrime1;
}

}  // namespace internal

inline std::uint64_t Xxh64(std::string_view bytes) {
  using namespace internal;
  const char* at = bytes.data();
  std::size_t left = bytes.size();
  std::uint64_t hash = kXxhPrime5;
  if (left >= 32) {
    std::uint64_t lanes[4] = {kXxhPrime1 + kXxhPrime2, kXxhPrime2, 0, 0 - kXxhPrime1};
    for (; left >= 32; left -= 32, at += 32)
      for (int i = 0; i < 4; ++i)
        lanes[i] = XxhRound(lanes[i], LoadLittle<std::uint64_t>(at + 8 * i));
    hash = std::rotl(lanes[0], 1) + std::rotl(lanes[1], 7) + std::rotl(lanes[2], 12) +
           std::rotl(lanes[3], 18);
    for (const std::uint64_t lane : lanes)
      hash = (hash ^ XxhRound(0, lane)) * kXxhPrime1 + kXxhPrime4;
  }
  hash += bytes.size();
  for (; left >= 8; left -= 8, at += 8)
    hash =
        std::rotl(hash ^ XxhRound(0, LoadLittle<std::uint64_t>(at)), 27) * kXxhPrime1 + kXxhPrime4;
  if (left >= 4) {
    hash =
        std::rotl(hash ^ LoadLittle<std::uint32_t>(at) * kXxhPrime1, 23) * kXxhPrime2 + kXxhPrime3;
    left -= 4;
    at += 4;
  }
  for (; left > 0; --left, ++at)
    hash = std::rotl(hash ^ static_cast<unsigned char>(*at) * kXxhPrime5, 11) * kXxhPrime1;
  hash = (hash ^ hash >> 33) * kXxhPrime2;
  hash = (hash ^ hash >> 29) * kXxhPrime3;
  return hash ^ hash >> 32;
}

}  // namespace spillway
