// Integers as bytes: LEB128 varints, little-endian for formats, big-endian where bytes must sort
// like numbers. Pure, inline.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

namespace spillway {

static_assert(std::endian::native == std::endian::little, "big-endian hosts are not supported");

template <class T>
T LoadLittle(const char* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

template <class T>
char* StoreLittle(char* to, T value) {
  std::memcpy(to, &value, sizeof value);
  return to + sizeof value;
}

inline std::uint64_t LoadBig64(const char* from) {
  return __builtin_bswap64(LoadLittle<std::uint64_t>(from));
}

inline char* StoreBig64(char* to, std::uint64_t value) {
  return StoreLittle(to, __builtin_bswap64(value));
}

inline char* StoreBig32(char* to, std::uint32_t value) {
  return StoreLittle(to, __builtin_bswap32(value));
}

inline std::uint32_t LoadBig32(const char* from) {
  return __builtin_bswap32(LoadLittle<std::uint32_t>(from));
}

/// The first 8 bytes as a big-endian number, zero-padded: it orders like the bytes do, except that
/// it cannot tell "a" from "a\0".
inline std::uint64_t KeyPrefix(const char* key, std::uint32_t bytes) {
  if (bytes >= 8) return LoadBig64(key);
  std::uint64_t value = 0;
  for (std::uint32_t i = 0; i < bytes; ++i)
    value |= std::uint64_t{static_cast<unsigned char>(key[i])} << (56 - 8 * i);
  return value;
}

inline constexpr std::size_t kVarint32BytesMax = 5;

constexpr std::size_t VarintBytes(std::uint64_t value) {
  std::size_t bytes = 1;
  while (value >= 0x80) {
    value >>= 7;
    ++bytes;
  }
  return bytes;
}

inline char* PutVarint32(char* to, std::uint32_t value) {
  while (value >= 0x80) {
    *to++ = static_cast<char>(value | 0x80);
    value >>= 7;
  }
  *to++ = static_cast<char>(value);
  return to;
}

/// Null when the bytes end inside the number or it does not fit 32 bits.
inline const char* GetVarint32(const char* from, const char* end, std::uint32_t* value) {
  if (from < end && static_cast<unsigned char>(*from) < 0x80) [[likely]] {
    *value = static_cast<unsigned char>(*from);
    return from + 1;
  }
  std::uint64_t result = 0;
  for (unsigned shift = 0; shift < 35 && from < end; shift += 7) {
    const auto byte = static_cast<unsigned char>(*from++);
    result |= std::uint64_t{byte & 0x7fu} << shift;
    if (byte < 0x80) {
      if (result > UINT32_MAX) return nullptr;
      *value = static_cast<std::uint32_t>(result);
      return from;
    }
  }
  return nullptr;
}

}  // namespace spillway
