// WordScanner: where words begin and end in a piece of text, a few thousand bytes at a time.
// One thread owns an object.
//
// 64 bytes become a mask of word bytes; the mask against itself shifted by one gives the first
// bytes of words and the bytes after them; a compress instruction turns those bits into
// positions, so that the loop has no branch that depends on the text (about 4 GB/s per core).
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#if defined(__AVX512BW__) && defined(__AVX512VBMI2__)
#include <immintrin.h>
#define SPILLWAY_LIMITS_AVX512 1
#endif

#include "bench/limits/word_pieces.h"

namespace spillway::limits {

/// Bit i says whether text[i] belongs to a word. Reads 64 bytes.
inline std::uint64_t WordMask(const char* text) {
#ifdef SPILLWAY_LIMITS_AVX512
  return _mm512_cmpgt_epu8_mask(_mm512_loadu_si512(text), _mm512_set1_epi8(0x20));
#else
  std::uint64_t mask = 0;
  for (unsigned i = 0; i < 64; ++i) mask |= std::uint64_t{IsWordByte(text[i])} << i;
  return mask;
#endif
}

/// Writes base + the position of each set bit to `to`, which has room for 32 numbers whatever the
/// count; returns the end. At most every second bit is set.
inline std::uint32_t* AppendPositions(std::uint64_t bits, std::uint32_t base, std::uint32_t* to) {
#ifdef SPILLWAY_LIMITS_AVX512
  const int count = std::popcount(bits);
  alignas(64) static constexpr unsigned char kPositions[64] = {
      0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
      22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43,
      44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63};
  const __m512i packed = _mm512_maskz_compress_epi8(bits, _mm512_load_si512(kPositions));
  const __m512i bases = _mm512_set1_epi32(static_cast<int>(base));
  _mm512_storeu_si512(
      to, _mm512_add_epi32(bases, _mm512_cvtepu8_epi32(_mm512_castsi512_si128(packed))));
  if (count > 16) [[unlikely]]
    _mm512_storeu_si512(
        to + 16,
        _mm512_add_epi32(bases, _mm512_cvtepu8_epi32(_mm512_extracti32x4_epi32(packed, 1))));
  return to + count;
#else
  for (; bits != 0; bits &= bits - 1)
    *to++ = base + static_cast<std::uint32_t>(std::countr_zero(bits));
  return to;
#endif
}

class WordScanner {
 public:
  /// Starts on `text`, behind which WordPieces::kPadBytes blanks may be read.
  void Open(std::string_view text) {
    text_ = text;
    position_ = 0;
    inside_ = 0;
    starts_end_ = starts_;
    ends_end_ = ends_;
  }

  /// Finds the next words, all of them whole; false at the end of the text. starts()[i] and
  /// ends()[i], i < count(), are offsets in the text.
  bool Next() {
    // A word may have begun in the bytes of the last call without ending there.
    const bool one_open = starts_end_ - starts_ > ends_end_ - ends_;
    if (one_open) starts_[0] = starts_end_[-1];
    starts_end_ = starts_ + one_open;
    ends_end_ = ends_;
    // The blanks behind the text end its last word, hence one step more than the text has.
    while (position_ <= text_.size() && ends_end_ == ends_) ScanStep();
    return ends_end_ != ends_;
  }

  const std::uint32_t* starts() const { return starts_; }
  const std::uint32_t* ends() const { return ends_; }
  std::size_t count() const { return static_cast<std::size_t>(ends_end_ - ends_); }

 private:
  static constexpr std::size_t kStepBytes = 4096;
  static constexpr std::size_t kPositionsMax = kStepBytes / 2 + 1 + 32;

  void ScanStep() {
    const std::size_t end = std::min(position_ + kStepBytes, text_.size() + 1);
    for (; position_ < end; position_ += 64) {
      std::uint64_t mask = WordMask(text_.data() + position_);
      // What lies behind the text and its pad is not ours to judge.
      const std::size_t left = text_.size() - position_;
      if (left < 64) [[unlikely]]
        mask &= (std::uint64_t{1} << left) - 1;
      const std::uint64_t before = mask << 1 | inside_;
      inside_ = mask >> 63;
      const auto base = static_cast<std::uint32_t>(position_);
      starts_end_ = AppendPositions(mask & ~before, base, starts_end_);
      ends_end_ = AppendPositions(~mask & before, base, ends_end_);
    }
  }

  std::string_view text_;
  std::size_t position_ = 0;
  std::uint64_t inside_ = 0;  ///< 1 when the byte before position_ belongs to a word.
  std::uint32_t* starts_end_ = starts_;
  std::uint32_t* ends_end_ = ends_;
  std::uint32_t starts_[kPositionsMax];
  std::uint32_t ends_[kPositionsMax];
};

}  // namespace spillway::limits
