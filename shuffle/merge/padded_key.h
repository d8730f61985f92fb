// Reading records and key prefixes of a block that has been checked. The engine promises
// SPILLWAY_PADDING_BYTES of readable memory behind every block, so nothing here looks for the end
// before it loads a whole word. Pure; no thread affinity.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <string>
#include <string_view>

#include "shuffle/record/record.h"

namespace spillway {

/// Reads the record at `from`, of which it is known that it is whole; returns its end.
inline const char* ReadRecord(const char* from, Record* record) {
  const auto lengths = LoadLittle<std::uint16_t>(from);
  if ((lengths & 0x8080) == 0) [[likely]] {
    record->key_bytes = lengths & 0xff;
    record->value_bytes = lengths >> 8;
    from += 2;
  } else {
    record->key_bytes = record->value_bytes = 0;
    from = GetVarint32(from, from + kVarint32BytesMax, &record->key_bytes);
    from = GetVarint32(from, from + kVarint32BytesMax, &record->value_bytes);
  }
  record->key = from;
  record->value = from + record->key_bytes;
  return record->value + record->value_bytes;
}

inline std::string_view KeyAt(const char* from) {
  Record record;
  ReadRecord(from, &record);
  return KeyOf(record);
}

/// The 8 key bytes behind the first `skip`, as KeyPrefix() has them.
inline std::uint64_t PaddedPrefix(std::string_view key, std::size_t skip) {
  if (key.size() <= skip) return 0;
  const std::size_t left = key.size() - skip;
  const std::uint64_t word = LoadBig64(key.data() + skip);
  return left >= 8 ? word : word & (~std::uint64_t{0} << (64 - 8 * left));
}

/// How many bytes `a` and `b` have in common from the start, given that the first `known` agree
/// (or that one of the keys is shorter than that, which then is the answer).
inline std::size_t CommonBytes(std::string_view a, std::string_view b, std::size_t known = 0) {
  const std::size_t bytes = std::min(a.size(), b.size());
  for (std::size_t i = known; i < bytes; i += 8) {
    const std::uint64_t differ = LoadBig64(a.data() + i) ^ LoadBig64(b.data() + i);
    if (differ != 0)
      return std::min(bytes, i + static_cast<std::size_t>(std::countl_zero(differ)) / 8);
  }
  return bytes;
}

/// A copy of a key, padded like every key that a plugin's functions see.
class PaddedKey {
 public:
  void Assign(std::string_view key) {
    bytes_.assign(key);
    bytes_.append(SPILLWAY_PADDING_BYTES, '\0');
    key_bytes_ = key.size();
  }
  std::string_view view() const { return {bytes_.data(), key_bytes_}; }

 private:
  std::string bytes_;
  std::size_t key_bytes_ = 0;
};

}  // namespace spillway
