#include "shuffle/sort/number_sort.h"

#include <hwy/contrib/sort/vqsort.h>
#include <hwy/targets.h>

#include "shuffle/sort/radix_sort.h"

namespace spillway {
namespace {

/// Below, a vector kernel's start costs more than the sorting.
constexpr std::size_t kInsertionSortMax = 20;

void InsertionSort(Number128* numbers, std::size_t count) {
  for (std::size_t i = 1; i < count; ++i) {
    const Number128 moving = numbers[i];
    std::size_t hole = i;
    for (; hole > 0 && moving < numbers[hole - 1]; --hole) numbers[hole] = numbers[hole - 1];
    numbers[hole] = moving;
  }
}

}  // namespace

bool HasVectorSort() {
  // In narrower vectors than AVX2's one number fills a register, and vqsort has nothing to gain.
  static const bool has = (hwy::SupportedTargets() & (HWY_AVX2 | (HWY_AVX2 - 1))) != 0;
  return has;
}

void SortNumbers(Number128* numbers, std::size_t count, SortKernel kernel) {
  if (count <= kInsertionSortMax) return InsertionSort(numbers, count);
  if (kernel == SortKernel::kPortable || !HasVectorSort()) return RadixSort({numbers, count});
  // The 128-bit type, never K64V64: that one of Highway 1.0.3 loses payloads whose key is
  // UINT64_MAX.
  static_assert(sizeof(Number128) == sizeof(hwy::uint128_t));
  static_assert(alignof(Number128) == alignof(hwy::uint128_t));
  hwy::Sorter()(reinterpret_cast<hwy::uint128_t*>(numbers), count, hwy::SortAscending());
}

}  // namespace spillway
