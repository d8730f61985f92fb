// Packed values: a record whose value field holds several values of its key, so that a key which
// occurs often is sorted, written, merged and compared once for all of them:
//
//   varint32 bytes | value | varint32 bytes | value | ...       (docs/formats/segment.md)
//
// Pure; no thread affinity.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

#include "mapreduce/base/coding.h"

namespace spillway {

/// Writers end a pack before it exceeds this, so that blocks and merge batches stay small. A value
/// that is larger has a pack of its own.
inline constexpr std::uint32_t kPackBytesMax = 32 << 10;

/// Bytes that a value takes in a pack.
constexpr std::uint64_t PackedBytes(std::uint32_t value_bytes) {
  return VarintBytes(value_bytes) + std::uint64_t{value_bytes};
}

/// Writes the value to `to`, which has PackedBytes() of room; returns its end.
inline char* PackValue(std::string_view value, char* to) {
  to = PutVarint32(to, static_cast<std::uint32_t>(value.size()));
  if (!value.empty()) std::memcpy(to, value.data(), value.size());
  return to + value.size();
}

}  // namespace spillway
