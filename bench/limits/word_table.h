// WordTable<Payload>: words and 16 bytes kept for each. One thread owns an object.
//
// Words up to 16 bytes lie zero-padded in 32-byte slots of an open-addressing table: one cache
// line answers a lookup, with one 16-byte comparison. Lookups come in batches: the keys of a batch
// are loaded and hashed (two AES rounds) and their lines prefetched before the first is looked at,
// so that the misses of a batch overlap. Longer words are rare and live in a std::unordered_map.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#if defined(__SSE4_1__) && defined(__AES__)
#include <immintrin.h>
#define SPILLWAY_LIMITS_AES 1
#endif

#include "bench/limits/files.h"

namespace spillway::limits {

inline constexpr std::size_t kInlineWordBytes = 16;

/// A word of at most 16 bytes, zero-padded. No word holds a zero byte, so this is one to one.
struct alignas(16) WordKey {
  std::uint64_t low, high;

  /// Reads 16 bytes from `word`, whatever word_bytes is.
  static WordKey Load(const char* word, std::size_t word_bytes) {
    alignas(32) static constexpr unsigned char kKeep[32] = {255, 255, 255, 255, 255, 255, 255, 255,
                                                            255, 255, 255, 255, 255, 255, 255, 255};
    WordKey key, keep;
    std::memcpy(&key, word, 16);
    std::memcpy(&keep, kKeep + 16 - word_bytes, 16);
    key.low &= keep.low;
    key.high &= keep.high;
    return key;
  }

  std::uint64_t Hash() const {
#ifdef SPILLWAY_LIMITS_AES
    const __m128i seed = _mm_set_epi64x(0x243f6a8885a308d3, 0x13198a2e03707344);
    __m128i state = _mm_aesenc_si128(_mm_load_si128(reinterpret_cast<const __m128i*>(this)), seed);
    state = _mm_aesenc_si128(state, seed);
    return static_cast<std::uint64_t>(_mm_cvtsi128_si64(state));
#else
    __extension__ typedef unsigned __int128 Wide;
    const Wide product = Wide{low ^ 0x243f6a8885a308d3} * (high ^ 0x9e3779b97f4a7c15);
    const auto folded = static_cast<std::uint64_t>(product ^ product >> 64);
    return (folded ^ folded >> 32) * 0x9e3779b97f4a7c15 >> 16;
#endif
  }

  bool empty() const { return low == 0; }
  bool operator==(const WordKey& other) const {
    return ((low ^ other.low) | (high ^ other.high)) == 0;
  }
  std::string_view word() const {
    const int zero_bits = high != 0 ? std::countl_zero(high) : 64 + std::countl_zero(low);
    return {reinterpret_cast<const char*>(this),
            kInlineWordBytes - static_cast<unsigned>(zero_bits) / 8};
  }
};

template <class Payload>
class WordTable {
  static_assert(sizeof(Payload) == 16);

 public:
  WordTable() { Resize(kSlotsAtFirst); }

  /// Up to this many words are looked up side by side.
  static constexpr std::size_t kBatchWords = 32;

  /// Finds the payloads of `count` words [starts[i], ends[i]) of `text`, zeroed ones for new words,
  /// and calls found(payloads, their starts, number of them) batch by batch, in an order that
  /// keeps equal words in theirs. 16 bytes behind each word's first byte must be readable.
  template <class Found>
  void FindWords(const char* text, const std::uint32_t* starts, const std::uint32_t* ends,
                 std::size_t count, Found found) {
    for (std::size_t i = 0; i < count; i += kBatchWords)
      FindBatch(text, starts + i, ends + i, std::min(kBatchWords, count - i), found);
  }

  /// Names a word of a table that does not change any more.
  using Reference = std::uint64_t;

  /// Calls visit(reference, word) for all words, in no order.
  template <class Visit>
  void ForEach(Visit visit) const {
    for (std::size_t i = 0; i <= mask_; ++i)
      if (!slots_[i].key.empty())
        visit(reinterpret_cast<Reference>(&slots_[i]), slots_[i].key.word());
    for (const auto& entry : long_words_)
      visit(reinterpret_cast<Reference>(&entry) | kLongWord, std::string_view(entry.first));
  }

  static std::string_view WordOf(Reference reference) {
    if (reference & kLongWord) return LongWordOf(reference)->first;
    return reinterpret_cast<const Slot*>(reference)->key.word();
  }
  static void Prefetch(Reference reference) {
    __builtin_prefetch(reinterpret_cast<const void*>(reference));
  }
  static const Payload& PayloadOf(Reference reference) {
    if (reference & kLongWord) return LongWordOf(reference)->second;
    return reinterpret_cast<const Slot*>(reference)->payload;
  }

  std::size_t size() const { return used_ + long_words_.size(); }

 private:
  struct Slot {
    WordKey key;
    Payload payload;
  };
  using LongWords = std::unordered_map<std::string, Payload>;

  /// Addresses are even: the lowest bit of a reference is free to say where it points.
  static constexpr Reference kLongWord = 1;
  static const typename LongWords::value_type* LongWordOf(Reference reference) {
    return reinterpret_cast<const typename LongWords::value_type*>(reference & ~kLongWord);
  }

  static constexpr std::size_t kSlotsAtFirst = std::size_t{1} << 16;

  template <class Found>
  void FindBatch(const char* text, const std::uint32_t* starts, const std::uint32_t* ends,
                 std::size_t count, Found& found) {
    WordKey keys[kBatchWords];
    Slot* homes[kBatchWords];
    Payload* payloads[kBatchWords];
    std::uint32_t places[kBatchWords];
    // Slots must not move while a batch points at them.
    if (2 * (used_ + kBatchWords) > mask_) [[unlikely]]
      Resize(4 * (mask_ + 1));
    std::size_t in_line = 0;  // Words that fit a slot.
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint32_t bytes = ends[i] - starts[i];
      if (bytes > kInlineWordBytes) [[unlikely]]
        continue;
      keys[in_line] = WordKey::Load(text + starts[i], bytes);
      homes[in_line] = slots_ + (keys[in_line].Hash() & mask_);
      places[in_line] = starts[i];
      __builtin_prefetch(homes[in_line], 1);
      ++in_line;
    }
    for (std::size_t i = 0; i < in_line; ++i) payloads[i] = &Find(keys[i], homes[i]);
    std::size_t all = in_line;
    for (std::size_t i = 0; in_line < count && i < count; ++i) {
      const std::uint32_t bytes = ends[i] - starts[i];
      if (bytes <= kInlineWordBytes) continue;
      payloads[all] = &long_words_[std::string(text + starts[i], bytes)];
      places[all++] = starts[i];
    }
    found(payloads, places, all);
  }

  Payload& Find(const WordKey& key, Slot* home) {
    for (Slot* slot = home;; slot = slot + 1 == slots_ + mask_ + 1 ? slots_ : slot + 1) {
      if (slot->key == key) [[likely]]
        return slot->payload;
      if (slot->key.empty()) {
        ++used_;
        slot->key = key;
        return slot->payload;
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
      if (from[i].key.empty()) continue;
      std::size_t at = from[i].key.Hash() & mask_;
      while (!slots_[at].key.empty()) at = (at + 1) & mask_;
      slots_[at] = from[i];
    }
  }

  LargeBuffer memory_;
  Slot* slots_ = nullptr;
  std::size_t mask_ = 0;
  std::size_t used_ = 0;
  LongWords long_words_;
};

}  // namespace spillway::limits
