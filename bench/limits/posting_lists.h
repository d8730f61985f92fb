// PostingArena and PostingList: for each word the places where it stands, as chains of blocks. One
// thread appends; any thread may read afterwards.
//
// All is counted in 32-bit units of one arena. A block is
//
//   block before (0: none) | room for places | place | place | ...
//
// and has room for 6 places when it is a list's first, then for twice the block before, up to
// kRoomMax: rare words waste little, and frequent ones are read back in long strides.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "bench/limits/files.h"

namespace spillway::limits {

/// A list's last block; all zero for an empty list.
struct PostingList {
  std::uint32_t block;
  std::uint32_t next;  ///< Where the next place goes.
  std::uint32_t left;  ///< Room behind it.
  std::uint32_t unused;
};

class PostingArena {
 public:
  /// 16 GiB of address space: what 32-bit positions reach. Memory comes as it is touched.
  PostingArena()
      : memory_(std::size_t{4} << 32), units_(reinterpret_cast<std::uint32_t*>(memory_.data())) {}

  void Append(PostingList& list, std::uint32_t place) {
    if (list.left == 0) [[unlikely]]
      AddBlock(list);
    units_[list.next++] = place;
    --list.left;
  }

  /// Fetches the line where the next place goes.
  void PrefetchEnd(const PostingList& list) const { __builtin_prefetch(units_ + list.next, 1); }
  /// Fetches what BlocksOf looks at first.
  void PrefetchBlock(const PostingList& list) const { __builtin_prefetch(units_ + list.block); }

  /// The blocks of `list` in the order they were filled; valid until the next call with `blocks`.
  void BlocksOf(const PostingList& list,
                std::vector<std::span<const std::uint32_t>>& blocks) const {
    blocks.clear();
    std::uint32_t left = list.left;
    for (std::uint32_t block = list.block; block != 0; block = units_[block]) {
      blocks.emplace_back(units_ + block + kHeaderUnits, units_[block + 1] - left);
      left = 0;
    }
    std::reverse(blocks.begin(), blocks.end());
  }

 private:
  static constexpr std::uint32_t kHeaderUnits = 2;
  static constexpr std::uint32_t kRoomAtFirst = 6;
  static constexpr std::uint32_t kRoomMax = 2048 - kHeaderUnits;

  [[gnu::noinline]] void AddBlock(PostingList& list) {
    const std::uint32_t room =
        list.block == 0
            ? kRoomAtFirst
            : std::min(2 * (units_[list.block + 1] + kHeaderUnits) - kHeaderUnits, kRoomMax);
    units_[end_] = list.block;
    units_[end_ + 1] = room;
    list = {end_, end_ + kHeaderUnits, room, 0};
    end_ += kHeaderUnits + room;
  }

  LargeBuffer memory_;
  std::uint32_t* units_;
  std::uint32_t end_ = 8;  ///< 0 is no block.
};

}  // namespace spillway::limits
