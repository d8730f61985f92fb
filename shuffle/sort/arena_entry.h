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

  /// Takes `high` and the class from the `key_bytes` at `key`, from `depth` <= key_bytes on. 8
  /// bytes behind the key must be readable.
  void LookAt(const char* key, std::uint64_t key_bytes, std::uint64_t depth) {
    SPILLWAY_DCHECK(depth <= key_bytes);
    const std::uint64_t left = key_bytes - depth;
    high = LoadBig64(key + depth);
    if (left < kPrefixBytes) high &= ~(~std::uint64_t{0} >> 8 * left);
    low = (low & ~kClassMask) | std::min(left, kLongClass) << kClassShift;
  }

  static ArenaEntry Make(std::uint64_t offset, std::uint32_t partition) {
    return {{.low = offset << kOffsetShift | partition, .high = 0}};
  }

 private:
  static constexpr std::uint64_t kClassMask = ~std::uint64_t{0} << kClassShift;
  static constexpr std::uint64_t kOffsetMask = ~kClassMask & (~std::uint64_t{0} << kOffsetShift);
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
