// RadixSort: American flag sort (McIlroy, Bostic, McIlroy: Engineering Radix Sort, 1993) of 128-bit
// numbers: byte by byte from the top, in place, small buckets by comparison. The fallback for
// processors without vqsort. Pure; any thread.
#pragma once

#include <span>

#include "shuffle/sort/number_sort.h"

namespace spillway {

/// Sorts ascending; allocates nothing, recurses at most 16 deep, linear in numbers.size().
void RadixSort(std::span<Number128> numbers);

}  // namespace spillway
