// ArenaEntry: a record in a collector's arena as 16 bytes that sort as one 128-bit number into the
// order (key, arrival): exactly for keys of up to 8 bytes, up to ties for longer ones. Pure.
//
//   high  the 8 key bytes from `depth` on, big-endian, zero-padded
//   low   bits 60-63  length class: how many key bytes there are from `depth` on, 9 for all beyond
//                     8. Zero padding makes "a" and "a\0" equal in `high`, and the class tells
//                     them apart. Of two keys with equal `high` the one of lower class is a prefix
//                     of the other, so that the class sorts before anything else in `low`
//         bits 20-59  where the encoded record begins in the arena; grows in order of arrival
//         bits 0-19   partition; never decides, because no two records begin at one place
//
// `depth` is not part of the entry: entries that are compared have it in common, and with it the
// key bytes before it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "mapreduce/base/check.h"
#include "shuffle/record/record.h"
#include "shuffle/sort/number_sort.h"

namespace spillway {

struct ArenaEntry : Number128 {
  static constexpr unsigned kClassShift = 60;
  static constexpr unsigned kOffsetShift = 20;
  static constexpr std::uint64_t kPrefixBytes = 8;
  /// The class of keys that go on behind `high`; only these ever need a look at the arena.
  static constexpr std::uint64_t kLongClass = kPrefixBytes + 1;
  static constexpr std::uint64_t kArenaBytesMax = std::uint64_t{1} << (kClassShift - kOffsetShift);
  static constexpr std::uint32_t kPartitionsMax = std::uint32_t{1} << kOffsetShift;

  std::uint64_t length_class() const { return low >> kClassShift; }
  std::uint64_t offset() const { return (low & kOffsetMask) >> kOffsetShift; }
  std::uint32_t partition() const { return static_cast<std::uint32_t>(low) & (kPartitionsMax - 1); }

  /// The entry of a record with this key, at depth 0. Nothing behind the key is read.
  static ArenaEntry Make(std::uint64_t offset, std::uint32_t partition, std::string_view key) {
    return {
        {.low = ClassOf(key.size()) | offset << kOffsetShift | partition, .high = PrefixOf(key)}};
  }

  /// Takes `high` and the class from `key` anew, from `depth` <= key.size() on. 8 bytes behind the
  /// key must be readable.
  void LookAt(std::string_view key, std::uint64_t depth) {
    SPILLWAY_DCHECK(depth <= key.size());
    const std::uint64_t left = key.size() - depth;
    high = LoadBig64(key.data() + depth);
    if (left < kPrefixBytes) high &= ~(~std::uint64_t{0} >> 8 * left);
    low = (low & ~kClassMask) | ClassOf(left);
  }

 private:
  static constexpr std::uint64_t kClassMask = ~std::uint64_t{0} << kClassShift;
  static constexpr std::uint64_t kOffsetMask = ~kClassMask & (~std::uint64_t{0} << kOffsetShift);

  static std::uint64_t ClassOf(std::uint64_t bytes_left) {
    return std::min(bytes_left, kLongClass) << kClassShift;
  }

  /// KeyPrefix() by a few overlapping loads instead of a loop.
  static std::uint64_t PrefixOf(std::string_view key) {
    const std::size_t bytes = key.size();
    if (bytes >= 8) return LoadBig64(key.data());
    if (bytes == 0) return 0;
    const auto byte_at = [&](std::size_t i) {
      return std::uint64_t{static_cast<unsigned char>(key[i])} << (56 - 8 * i);
    };
    if (bytes < 4) return byte_at(0) | byte_at(bytes / 2) | byte_at(bytes - 1);
    const std::uint64_t first = LoadBig32(key.data());
    const std::uint64_t last = LoadBig32(key.data() + bytes - 4);
    return first << 32 | last << (64 - 8 * bytes);
  }
};
static_assert(SortsAsNumber<ArenaEntry>);

/// A record of the arena: lengths as DecodeRecord() has them, without its checks, because we wrote
/// it ourselves. 2 * kVarint32BytesMax bytes from `at` on must be readable.
struct ArenaRecord {
  explicit ArenaRecord(const char* at) : begin(at) {
    const auto lengths = LoadLittle<std::uint16_t>(at);
    if ((lengths & 0x8080) == 0) [[likely]] {
      key_bytes = lengths & 0xff;
      value_bytes = lengths >> 8;
      key = at + 2;
    } else {
      key = GetVarint32(at, at + kVarint32BytesMax, &key_bytes);
      key = GetVarint32(key, key + kVarint32BytesMax, &value_bytes);
    }
  }

  std::string_view key_view() const { return {key, key_bytes}; }
  std::string_view encoded() const {
    return {begin, static_cast<std::size_t>(key - begin) + key_bytes + value_bytes};
  }
  Record record() const { return {key, key + key_bytes, key_bytes, value_bytes}; }

  const char* begin;
  const char* key;
  std::uint32_t key_bytes = 0;
  std::uint32_t value_bytes = 0;
};

}  // namespace spillway
