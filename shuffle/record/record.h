// A record inside the engine: the plugin's spillway_record, and its encoded form, which is the
// same in the collector's arena, in the blocks of a segment and on the wire:
//
//   varint32 key_bytes | varint32 value_bytes | key | value        (docs/formats/segment.md)
//
// so that spilling and merging move a record with one memcpy. Pure; no thread affinity.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

#include "mapreduce/abi.h"
#include "mapreduce/base/coding.h"

namespace spillway {

using Record = spillway_record;

/// The largest key or value: 1 GiB. Larger ones are refused where they are emitted.
inline constexpr std::uint32_t kFieldBytesMax = std::uint32_t{1} << 30;

inline std::string_view KeyOf(const Record& r) { return {r.key, r.key_bytes}; }
inline std::string_view ValueOf(const Record& r) { return {r.value, r.value_bytes}; }

inline Record MakeRecord(std::string_view key, std::string_view value) {
  return {key.data(), value.data(), static_cast<std::uint32_t>(key.size()),
          static_cast<std::uint32_t>(value.size())};
}

/// Bytes of the encoded form.
inline std::size_t EncodedBytes(std::uint32_t key_bytes, std::uint32_t value_bytes) {
  return VarintBytes(key_bytes) + VarintBytes(value_bytes) + key_bytes + value_bytes;
}

/// Writes the encoded form to `to`, which has EncodedBytes() of room; returns its end.
inline char* EncodeRecord(const Record& record, char* to) {
  to = PutVarint32(to, record.key_bytes);
  to = PutVarint32(to, record.value_bytes);
  std::memcpy(to, record.key, record.key_bytes);
  to += record.key_bytes;
  std::memcpy(to, record.value, record.value_bytes);
  return to + record.value_bytes;
}

/// Reads the record at `from`, which views the input. Null when [from, end) does not hold a whole
/// well-formed record; otherwise the start of the next one.
inline const char* DecodeRecord(const char* from, const char* end, Record* record) {
  from = GetVarint32(from, end, &record->key_bytes);
  if (from == nullptr) return nullptr;
  from = GetVarint32(from, end, &record->value_bytes);
  if (from == nullptr) return nullptr;
  const std::uint64_t bytes = std::uint64_t{record->key_bytes} + record->value_bytes;
  if (bytes > static_cast<std::uint64_t>(end - from)) return nullptr;
  record->key = from;
  record->value = from + record->key_bytes;
  return from + bytes;
}

}  // namespace spillway
