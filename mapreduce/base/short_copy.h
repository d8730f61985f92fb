// Copies of a few bytes, whose number is known at run time only: a call of memcpy costs more than
// they do. Pure; inline.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "mapreduce/base/coding.h"

namespace spillway {

/// Copies like memcpy, fastest up to 16 bytes; touches nothing beyond them. Returns their end.
inline char* CopyShort(char* to, const char* from, std::size_t bytes) {
  if (bytes > 16) {
    std::memcpy(to, from, bytes);
  } else if (bytes >= 8) {  // Two words, which overlap.
    const auto head = LoadLittle<std::uint64_t>(from);
    StoreLittle(to + bytes - 8, LoadLittle<std::uint64_t>(from + bytes - 8));
    StoreLittle(to, head);
  } else if (bytes >= 4) {
    const auto head = LoadLittle<std::uint32_t>(from);
    StoreLittle(to + bytes - 4, LoadLittle<std::uint32_t>(from + bytes - 4));
    StoreLittle(to, head);
  } else {
    for (std::size_t i = 0; i < bytes; ++i) to[i] = from[i];
  }
  return to + bytes;
}

}  // namespace spillway
