// FoldSlot: one key with its state in a FoldTable. 32 bytes, so that a probe costs one cache line:
//
//   0                8               16           24       28          32
//   | key, zero-padded ............. | state      | hash   | length    |   keys up to 16 bytes
//   | first 8 bytes  | heap address  | state      | hash   | length    |   longer keys
//
// `state` holds the state's bits, or the address of a state that is not 8 bytes wide. `length` is
// the key's bytes plus one; an empty slot is all zero.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

#include "mapreduce/base/coding.h"
#include "shuffle/record/record.h"

namespace spillway {

inline constexpr std::uint32_t kInlineKeyBytes = 16;
inline constexpr std::uint32_t kInlineStateBytes = 8;

struct alignas(32) FoldSlot {
  char key[kInlineKeyBytes];
  std::uint64_t state;
  std::uint64_t tag;  ///< MakeTag() of the key; 0: the slot is empty.

  static std::uint64_t MakeTag(std::uint32_t hash, std::uint32_t key_bytes) {
    return hash | (std::uint64_t{key_bytes + 1} << 32);
  }

  bool empty() const { return tag == 0; }
  std::uint32_t hash() const { return static_cast<std::uint32_t>(tag); }
  std::uint32_t key_bytes() const { return static_cast<std::uint32_t>(tag >> 32) - 1; }
  bool is_inline() const { return key_bytes() <= kInlineKeyBytes; }

  /// Replaces the hash by another number, for those who need it no more.
  void set_hash(std::uint32_t number) { tag = MakeTag(number, key_bytes()); }

  /// The whole key; SPILLWAY_PADDING_BYTES behind it are readable.
  const char* key_data() const { return is_inline() ? key : LoadLittle<const char*>(key + 8); }
  std::string_view key_view() const { return {key_data(), key_bytes()}; }

  /// KeyPrefix() of the key.
  std::uint64_t key_prefix() const { return LoadBig64(key); }

  /// The state's bytes, wherever they are.
  const char* state_data(std::uint32_t state_bytes) const {
    return state_bytes == kInlineStateBytes ? reinterpret_cast<const char*>(&state)
                                            : reinterpret_cast<const char*>(state);
  }
};
static_assert(sizeof(FoldSlot) == 32);

/// A record of a fold with an 8-byte state carries the state in its value field.
inline std::uint64_t InlineState(const Record& record) {
  static_assert(sizeof record.value == kInlineStateBytes);
  return LoadLittle<std::uint64_t>(reinterpret_cast<const char*>(&record.value));
}

/// Where the bytes of the record's state are.
inline const char* StateData(const Record& record, std::uint32_t state_bytes) {
  return state_bytes == kInlineStateBytes ? reinterpret_cast<const char*>(&record.value)
                                          : record.value;
}

}  // namespace spillway
