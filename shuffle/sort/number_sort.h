// Sorting of 16-byte entries as 128-bit numbers: Highway's vqsort where the processor has the
// vectors for it, an in-place radix sort elsewhere. Entries that differ in any bit have only one
// order, so that both give the same bytes. Pure; any thread.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>

namespace spillway {

/// Compares by `high`, then by `low`. Users derive from it to give the bits a meaning.
struct alignas(16) Number128 {
  std::uint64_t low;
  std::uint64_t high;

  friend bool operator==(const Number128&, const Number128&) = default;
  friend bool operator<(const Number128& a, const Number128& b) {
    return a.high != b.high ? a.high < b.high : a.low < b.low;
  }
};

template <class T>
concept SortsAsNumber = std::derived_from<T, Number128> && sizeof(T) == sizeof(Number128);

enum class SortKernel {
  kFastest,   ///< The best that this processor runs.
  kPortable,  ///< The radix sort, wherever we are.
};

/// What kFastest stands for here: whether vqsort has a vectorised path for this processor.
bool HasVectorSort();

/// Sorts in place and allocates nothing.
void SortNumbers(Number128* numbers, std::size_t count, SortKernel kernel);

template <SortsAsNumber T>
void SortNumbers(std::span<T> entries, SortKernel kernel = SortKernel::kFastest) {
  SortNumbers(static_cast<Number128*>(entries.data()), entries.size(), kernel);
}

}  // namespace spillway
