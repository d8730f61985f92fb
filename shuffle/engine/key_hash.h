// Hashes of keys for tables inside one process. They are not part of any format: which of them a
// machine uses never shows in a result. Pure.
#pragma once

#include <xxhash.h>

#include <cstddef>
#include <cstdint>

namespace spillway {

/// Hash of a key of at most 16 bytes, given as its zero-padded halves, for machines without AES
/// instructions: one 64x64-bit multiplication, both halves of the product folded together.
inline std::uint32_t HashHalves(std::uint64_t low, std::uint64_t high) {
  __extension__ using Product = unsigned __int128;
  const Product product =
      Product{low ^ 0x9e37'79b9'7f4a'7c15u} * Product{high ^ 0xd6e8'feb8'6659'fd93u};
  const auto folded =
      static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
  return static_cast<std::uint32_t>(folded >> 32);
}

/// Hash of a key of any length.
inline std::uint32_t HashBytes(const char* key, std::size_t bytes) {
  return static_cast<std::uint32_t>(XXH3_64bits(key, bytes) >> 32);
}

}  // namespace spillway
