#include "shuffle/sort/radix_sort.h"

#include <algorithm>
#include <array>

namespace spillway {
namespace {

/// Up to here a comparison sort beats clearing and walking 256 counters.
constexpr std::size_t kComparisonSortMax = 96;

constexpr unsigned kBytes = sizeof(Number128);

/// Byte `level` from the top.
unsigned ByteAt(const Number128& number, unsigned level) {
  const std::uint64_t word = level < 8 ? number.high : number.low;
  return static_cast<unsigned>(word >> (56 - 8 * (level & 7))) & 0xff;
}

/// The first byte from the top in which any two numbers differ; kBytes when none does. Most keys
/// share some leading bytes, and nearly all references do.
unsigned FirstDifference(std::span<const Number128> numbers) {
  std::uint64_t high = 0, low = 0;
  for (const Number128& number : numbers) {
    high |= number.high ^ numbers[0].high;
    low |= number.low ^ numbers[0].low;
  }
  if (high != 0) return static_cast<unsigned>(__builtin_clzll(high)) / 8;
  if (low != 0) return 8 + static_cast<unsigned>(__builtin_clzll(low)) / 8;
  return kBytes;
}

using Borders = std::array<std::size_t, 257>;

/// Moves every number into the bucket of its byte: bucket b becomes [borders[b], borders[b + 1]).
void Distribute(std::span<Number128> numbers, unsigned level, Borders& borders) {
  borders.fill(0);
  for (const Number128& number : numbers) ++borders[ByteAt(number, level) + 1];
  for (std::size_t b = 1; b < borders.size(); ++b) borders[b] += borders[b - 1];
  std::array<std::size_t, 256> heads;
  std::copy_n(borders.begin(), heads.size(), heads.begin());
  for (unsigned b = 0; b < heads.size(); ++b) {
    while (heads[b] < borders[b + 1]) {
      Number128 moving = numbers[heads[b]];
      for (unsigned home; (home = ByteAt(moving, level)) != b;)
        std::swap(moving, numbers[heads[home]++]);
      numbers[heads[b]++] = moving;
    }
  }
}

}  // namespace

void RadixSort(std::span<Number128> numbers) {
  if (numbers.size() <= kComparisonSortMax) return std::sort(numbers.begin(), numbers.end());
  const unsigned level = FirstDifference(numbers);
  if (level == kBytes) return;
  Borders borders;
  Distribute(numbers, level, borders);
  for (std::size_t b = 0; b < 256; ++b)
    RadixSort(numbers.subspan(borders[b], borders[b + 1] - borders[b]));
}

}  // namespace spillway
