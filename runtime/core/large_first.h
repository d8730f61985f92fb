// LargeFirst: which reduce tasks to start before the others, because much of the map output is
// theirs. A large one that starts last is what a job waits for when all else is done; when it
// starts first, the small ones share the other slots. Owned by a job's state; not thread-safe.
#pragma once

#include <bit>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/core/index_set.h"

namespace spillway {

/// A number of bytes in one byte, rounded down by less than a quarter.
inline std::uint8_t SizeByteOf(std::uint64_t bytes) {
  if (bytes < 4) return static_cast<std::uint8_t>(bytes);
  const auto shift = static_cast<unsigned>(std::bit_width(bytes)) - 3;
  return static_cast<std::uint8_t>((shift + 1) * 4 + (bytes >> shift & 3));
}
/// A worker may say anything: no more than 16 TiB.
inline constexpr std::uint64_t kSizedBytesMax = std::uint64_t{1} << 44;
inline std::uint64_t BytesOfSize(std::uint8_t size) {
  if (size < 8) return size;
  if (size >= SizeByteOf(kSizedBytesMax)) return kSizedBytesMax;
  return std::uint64_t{4 + size % 4u} << (size / 4 - 1);
}

class LargeFirst {
 public:
  /// So many large ones are told from the others.
  static constexpr std::size_t kRankedMax = 256;

  LargeFirst(std::uint32_t maps, std::uint32_t reduces) : maps_(maps), reduces_(reduces) {}

  /// What the map task has for each reduce task, a SizeByteOf each. Anything else, and what is said
  /// again of a task, counts for nothing.
  void Add(std::uint32_t map, std::string_view sizes);

  /// Looks at what was added. Those that are larger than most come first from now on.
  void Rank();

  /// What was added, by reduce, kSizedBytesMax at most; empty before the first.
  std::span<const std::uint64_t> bytes() const { return bytes_; }
  std::uint64_t all_bytes() const { return all_bytes_; }

  /// The largest of these that is in `waiting`, IndexSet::kNone when there is none. One that is
  /// not is forgotten until the next Rank.
  std::uint32_t First(const IndexSet& waiting);

 private:
  const std::uint32_t maps_;
  const std::uint32_t reduces_;
  std::vector<bool> added_;           ///< By map; empty before the first.
  std::vector<std::uint64_t> bytes_;  ///< By reduce.
  std::uint64_t all_bytes_ = 0;
  std::vector<std::uint32_t> ranked_;  ///< The smallest first.
};

}  // namespace spillway
