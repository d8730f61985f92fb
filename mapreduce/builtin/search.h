// Finder: all places of a fixed string in a text. It compares the pattern's first and last byte
// against 32 or 64 places of the text at once and looks closer where both fit. Some GB/s per
// core. Immutable after construction; any thread.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace spillway {

class Finder {
 public:
  static constexpr std::size_t kNone = std::string_view::npos;

  /// An empty pattern is found at every place.
  explicit Finder(std::string_view pattern) : pattern_(pattern) {}

  std::string_view pattern() const { return pattern_; }

  /// Offset of the first place at or behind `from`, or kNone.
  std::size_t Find(std::string_view text, std::size_t from) const {
    if (pattern_.size() > text.size() || from > text.size() - pattern_.size()) return kNone;
    if (pattern_.empty()) return from;
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512bw")) return FindAvx512(text, from);
    if (__builtin_cpu_supports("avx2")) return FindAvx2(text, from);
#endif
    return text.find(pattern_, from);
  }

 private:
#if defined(__x86_64__)
  /// The first place among `places` (bits, relative to `at`) where all bytes fit, or null.
  [[gnu::always_inline]] const char* Check(const char* at, std::uint64_t places) const {
    while (places != 0) {
      const char* const place = at + __builtin_ctzll(places);
      if (std::memcmp(place, pattern_.data(), pattern_.size()) == 0) return place;
      places &= places - 1;
    }
    return nullptr;
  }

  [[gnu::target("avx512f,avx512bw")]] std::size_t FindAvx512(std::string_view text,
                                                             std::size_t from) const {
    const std::size_t gap = pattern_.size() - 1;
    const __m512i first = _mm512_set1_epi8(pattern_.front());
    const __m512i last = _mm512_set1_epi8(pattern_.back());
    const char* const end = text.data() + text.size() - gap;  // Behind the last possible place.
    const char* at = text.data() + from;
    for (; end - at >= 64; at += 64) {
      const std::uint64_t places =
          _mm512_mask_cmpeq_epi8_mask(_mm512_cmpeq_epi8_mask(_mm512_loadu_si512(at), first),
                                      _mm512_loadu_si512(at + gap), last);
      if (places == 0) [[likely]]
        continue;
      if (const char* place = Check(at, places))
        return static_cast<std::size_t>(place - text.data());
    }
    return text.find(pattern_, static_cast<std::size_t>(at - text.data()));
  }

  [[gnu::target("avx2")]] std::size_t FindAvx2(std::string_view text, std::size_t from) const {
    const std::size_t gap = pattern_.size() - 1;
    const __m256i first = _mm256_set1_epi8(pattern_.front());
    const __m256i last = _mm256_set1_epi8(pattern_.back());
    const char* const end = text.data() + text.size() - gap;
    const char* at = text.data() + from;
    for (; end - at >= 32; at += 32) {
      const auto* here = reinterpret_cast<const __m256i*>(at);
      const auto* ahead = reinterpret_cast<const __m256i*>(at + gap);
      const __m256i both = _mm256_and_si256(_mm256_cmpeq_epi8(_mm256_loadu_si256(here), first),
                                            _mm256_cmpeq_epi8(_mm256_loadu_si256(ahead), last));
      const auto places = static_cast<std::uint32_t>(_mm256_movemask_epi8(both));
      if (places == 0) [[likely]]
        continue;
      if (const char* place = Check(at, places))
        return static_cast<std::size_t>(place - text.data());
    }
    return text.find(pattern_, static_cast<std::size_t>(at - text.data()));
  }
#endif

  std::string pattern_;
};

/// The line of `text` that holds offset `at`, without its newline.
inline std::string_view LineAt(std::string_view text, std::size_t at) {
  const std::size_t newline = at == 0 ? std::string_view::npos : text.rfind('\n', at - 1);
  const std::size_t begin = newline == std::string_view::npos ? 0 : newline + 1;
  return text.substr(begin, text.find('\n', at) - begin);
}

}  // namespace spillway
