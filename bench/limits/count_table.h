// CountTable: how often each word occurs. One thread owns an object.
//
// Counting is bound by cache misses, so the slots are as small as they can be: 12 bytes of a word
// and a 32-bit count make 16, four to a cache line. The few longer words go to a WordTable.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "bench/limits/files.h"
#include "bench/limits/word_table.h"

namespace spillway::limits {

class CountTable {
 public:
  CountTable() { Resize(kSlotsAtFirst); }

  /// Counts the `count` words [starts[i], ends[i]) of `text`. 16 bytes behind each word's first
  /// byte must be readable.
  void Add(const char* text, const std::uint32_t* starts, const std::uint32_t* ends,
           std::size_t count) {
    for (std::size_t i = 0; i < count; i += kBatchWords)
      AddBatch(text, starts + i, ends + i, std::min(kBatchWords, count - i));
  }

  /// Names a word of a table that does not change any more.
  using Reference = std::uint64_t;

  /// Calls visit(reference, word) for all words, in no order.
  template <class Visit>
  void ForEach(Visit visit) const {
    for (std::size_t i = 0; i <= mask_; ++i)
      if (!slots_[i].empty()) visit(reinterpret_cast<Reference>(&slots_[i]), slots_[i].word());
    longer_words_.ForEach(
        [&](Reference reference, std::string_view word) { visit(reference | kLonger, word); });
  }

  std::size_t size() const { return used_ + longer_words_.size(); }

  static std::string_view WordOf(Reference reference) {
    if (reference & kLonger) return LongerWords::WordOf(reference & ~kLonger);
    return reinterpret_cast<const Slot*>(reference)->word();
  }

  static void Prefetch(Reference reference) {
    __builtin_prefetch(reinterpret_cast<const void*>(reference));
  }

  std::uint64_t CountOf(Reference reference) const {
    if (reference & kLonger) return LongerWords::PayloadOf(reference & ~kLonger).value;
    const Slot* slot = reinterpret_cast<const Slot*>(reference);
    if (wraps_.empty()) return slot->count;
    const auto wraps = wraps_.find(std::string(slot->word()));
    return slot->count + (wraps == wraps_.end() ? 0 : wraps->second << 32);
  }

 private:
  static constexpr std::size_t kSlotWordBytes = 12;
  static constexpr std::size_t kBatchWords = 32;
  static constexpr std::size_t kSlotsAtFirst = std::size_t{1} << 16;
  /// WordTable uses the lowest bit of its references; addresses are multiples of four.
  static constexpr Reference kLonger = 2;

  struct LongerCount {
    std::uint64_t value;
    std::uint64_t unused;
  };
  using LongerWords = WordTable<LongerCount>;

  /// A word of at most 12 bytes, zero-padded, and its count.
  struct alignas(16) Slot {
    std::uint64_t low;
    std::uint32_t high;
    std::uint32_t count;

    bool empty() const { return low == 0; }
    std::string_view word() const {
      const int zero_bits = high != 0 ? std::countl_zero(high) : 32 + std::countl_zero(low);
      return {reinterpret_cast<const char*>(this),
              kSlotWordBytes - static_cast<unsigned>(zero_bits) / 8};
    }
  };

  void AddBatch(const char* text, const std::uint32_t* starts, const std::uint32_t* ends,
                std::size_t count) {
    WordKey keys[kBatchWords];
    Slot* homes[kBatchWords];
    if (2 * (used_ + kBatchWords) > mask_) [[unlikely]]
      Resize(4 * (mask_ + 1));
    std::size_t in_line = 0;
    std::size_t longer = 0;
    std::uint32_t longer_starts[kBatchWords], longer_ends[kBatchWords];
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint32_t bytes = ends[i] - starts[i];
      if (bytes > kSlotWordBytes) [[unlikely]] {
        longer_starts[longer] = starts[i];
        longer_ends[longer++] = ends[i];
        continue;
      }
      keys[in_line] = WordKey::Load(text + starts[i], bytes);
      homes[in_line] = slots_ + (keys[in_line].Hash() & mask_);
      __builtin_prefetch(homes[in_line], 1);
      ++in_line;
    }
    for (std::size_t i = 0; i < in_line; ++i) AddOne(keys[i], homes[i]);
    if (longer > 0) [[unlikely]]
      longer_words_.FindWords(text, longer_starts, longer_ends, longer,
                              [](LongerCount** counts, const std::uint32_t*, std::size_t words) {
                                for (std::size_t i = 0; i < words; ++i) ++counts[i]->value;
                              });
  }

  void AddOne(const WordKey& key, Slot* home) {
    for (Slot* slot = home;; slot = slot == slots_ + mask_ ? slots_ : slot + 1) {
      if (slot->low == key.low && slot->high == static_cast<std::uint32_t>(key.high)) [[likely]] {
        if (++slot->count == 0) [[unlikely]]
          ++wraps_[std::string(slot->word())];
        return;
      }
      if (slot->empty()) {
        ++used_;
        *slot = {key.low, static_cast<std::uint32_t>(key.high), 1};
        return;
      }
    }
  }

  void Resize(std::size_t slots) {
    LargeBuffer old = std::move(memory_);
    const Slot* from = slots_;
    const std::size_t from_count = from == nullptr ? 0 : mask_ + 1;
    memory_ = LargeBuffer(slots * sizeof(Slot));
    slots_ = reinterpret_cast<Slot*>(memory_.data());
    mask_ = slots - 1;
    for (std::size_t i = 0; i < from_count; ++i) {
      if (from[i].empty()) continue;
      std::size_t at = WordKey{from[i].low, from[i].high}.Hash() & mask_;
      while (!slots_[at].empty()) at = (at + 1) & mask_;
      slots_[at] = from[i];
    }
  }

  LargeBuffer memory_;
  Slot* slots_ = nullptr;
  std::size_t mask_ = 0;
  std::size_t used_ = 0;
  LongerWords longer_words_;
  std::unordered_map<std::string, std::uint64_t> wraps_;  ///< Times a count passed 2^32.
};

}  // namespace spillway::limits
