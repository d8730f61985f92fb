// IndexSet: a set of small numbers as a tree of bit words, 64 children each: insert, erase and
// "smallest member from here on" touch one word per level, three levels for a quarter of a million
// members. Not thread-safe.
#pragma once

#include <bit>
#include <cstdint>
#include <vector>

#include "mapreduce/base/check.h"

namespace spillway {

class IndexSet {
 public:
  static constexpr std::uint32_t kNone = UINT32_MAX;

  explicit IndexSet(std::uint32_t capacity = 0) { Grow(capacity); }

  /// Members below `capacity` are allowed from now on; never shrinks.
  void Grow(std::uint32_t capacity) {
    if (capacity < capacity_) return;
    capacity_ = capacity;
    std::size_t words = capacity / 64 + 1;
    for (std::size_t level = 0;; ++level, words = (words + 63) / 64) {
      if (level == levels_.size()) {
        // What was the root until now is word 0 of the level below.
        levels_.push_back({level > 0 && levels_[level - 1][0] != 0 ? 1u : 0u});
      }
      if (levels_[level].size() < words) levels_[level].resize(words);
      if (words == 1) break;
    }
  }

  /// Makes every number below capacity a member, in linear time.
  void Fill() {
    for (std::uint32_t i = 0; i < capacity_; ++i) Insert(i);
  }

  void Clear() {
    for (auto& level : levels_) level.assign(level.size(), 0);
    size_ = 0;
  }

  void Insert(std::uint32_t index) {
    SPILLWAY_DCHECK(index < capacity_);
    if (contains(index)) return;
    ++size_;
    for (auto& level : levels_) {
      std::uint64_t& word = level[index / 64];
      const bool was_empty = word == 0;
      word |= std::uint64_t{1} << (index % 64);
      if (!was_empty) return;
      index /= 64;
    }
  }

  void Erase(std::uint32_t index) {
    if (!contains(index)) return;
    --size_;
    for (auto& level : levels_) {
      std::uint64_t& word = level[index / 64];
      word &= ~(std::uint64_t{1} << (index % 64));
      if (word != 0) return;
      index /= 64;
    }
  }

  bool contains(std::uint32_t index) const {
    return index < capacity_ && (levels_[0][index / 64] >> (index % 64) & 1) != 0;
  }

  /// The smallest member >= from, or kNone.
  std::uint32_t Next(std::uint32_t from) const {
    std::size_t level = 0;
    std::uint64_t at = from;
    for (;; ++level) {
      if (level == levels_.size()) return kNone;
      if (at / 64 < levels_[level].size()) {
        const std::uint64_t word = levels_[level][at / 64] >> (at % 64);
        if (word != 0) {
          at += static_cast<std::uint64_t>(std::countr_zero(word));
          break;
        }
      }
      at = at / 64 + 1;
    }
    while (level-- > 0)
      at = at * 64 + static_cast<std::uint64_t>(std::countr_zero(levels_[level][at]));
    return static_cast<std::uint32_t>(at);
  }

  std::uint32_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

 private:
  std::uint32_t capacity_ = 0;
  std::uint32_t size_ = 0;
  std::vector<std::vector<std::uint64_t>> levels_;  // [0]: members; then "word below is not 0".
};

}  // namespace spillway
