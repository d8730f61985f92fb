// Decimal text of unsigned integers, eight digits at a time: halves, pairs and digits are split
// side by side in one register, by multiplications with reciprocals. Pure; inline.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "mapreduce/base/coding.h"

namespace spillway {

/// Room that PutDecimal needs; it may write over all of it.
inline constexpr std::size_t kDecimalBytesMax = 32;

namespace internal {

inline constexpr std::uint64_t kEightDigitsEnd = 100'000'000;

/// The 8 digits of a number below 10^8, one a byte, the first in the lowest byte.
inline std::uint64_t EightDigits(std::uint64_t number) {
  const std::uint64_t high_half = number * 109'951'163 >> 40;
  const std::uint64_t halves = high_half | (number - high_half * 10'000) << 32;
  const std::uint64_t hundreds = halves * 10'486 >> 20 & 0x0000'007f'0000'007f;
  const std::uint64_t pairs = hundreds | (halves - hundreds * 100) << 16;
  const std::uint64_t tens = pairs * 103 >> 10 & 0x000f'000f'000f'000f;
  return tens | (pairs - tens * 10) << 8;
}

inline constexpr std::uint64_t kEightZeros = 0x3030'3030'3030'3030;

/// Below 10^8, without leading zeros.
inline char* PutShortDecimal(char* to, std::uint64_t number) {
  const std::uint64_t digits = EightDigits(number);
  // The last digit is written whatever it is.
  const int zeros = std::countr_zero(digits | std::uint64_t{1} << 56) / 8;
  StoreLittle(to, (digits | kEightZeros) >> 8 * zeros);
  return to + 8 - zeros;
}

}  // namespace internal

/// Writes `number`; returns the end of its text.
inline char* PutDecimal(char* to, std::uint64_t number) {
  using internal::kEightDigitsEnd;
  if (number < kEightDigitsEnd) return internal::PutShortDecimal(to, number);
  const std::uint64_t above = number / kEightDigitsEnd;
  if (above < kEightDigitsEnd) {
    to = internal::PutShortDecimal(to, above);
  } else {
    to = internal::PutShortDecimal(to, above / kEightDigitsEnd);
    to = StoreLittle(to, internal::EightDigits(above % kEightDigitsEnd) | internal::kEightZeros);
  }
  return StoreLittle(to, internal::EightDigits(number % kEightDigitsEnd) | internal::kEightZeros);
}

}  // namespace spillway
