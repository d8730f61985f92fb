#include "shuffle/sort/number_sort.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <random>
#include <string>
#include <vector>

namespace spillway {
namespace {

using Numbers = std::vector<Number128>;
using Random = std::mt19937_64;

struct Shape {
  std::string name;
  /// The i-th of n entries' high half.
  std::function<std::uint64_t(Random&, std::size_t i, std::size_t n)> high;
};

const std::vector<Shape>& Shapes() {
  static const std::vector<Shape> shapes = {
      {"random", [](Random& r, std::size_t, std::size_t) { return r(); }},
      {"all equal", [](Random&, std::size_t, std::size_t) { return std::uint64_t{42}; }},
      {"all ones", [](Random&, std::size_t, std::size_t) { return UINT64_MAX; }},
      {"all zeros", [](Random&, std::size_t, std::size_t) { return std::uint64_t{0}; }},
      {"near the top", [](Random& r, std::size_t, std::size_t) { return UINT64_MAX - r() % 3; }},
      {"sorted", [](Random&, std::size_t i, std::size_t) { return std::uint64_t{i} << 20; }},
      {"reversed", [](Random&, std::size_t i, std::size_t n) { return std::uint64_t{n - i}; }},
      {"few distinct", [](Random& r, std::size_t, std::size_t) { return (r() % 5) << 61; }},
      {"shared top bytes",
       [](Random& r, std::size_t, std::size_t) { return 0xabcdef0000000000u | (r() & 0xffff); }},
      {"one byte differs", [](Random& r, std::size_t, std::size_t) { return (r() & 0xff) << 24; }},
      {"skewed", [](Random& r, std::size_t, std::size_t) { return r() >> (r() % 64); }},
      {"organ pipe",
       [](Random&, std::size_t i, std::size_t n) { return std::uint64_t{std::min(i, n - i)}; }},
  };
  return shapes;
}

Numbers MakeNumbers(const Shape& shape, std::size_t count, Random& random) {
  Numbers numbers(count);
  for (std::size_t i = 0; i < count; ++i) numbers[i] = {i, shape.high(random, i, count)};
  return numbers;
}

void ExpectBothKernelsSort(const Numbers& numbers) {
  Numbers expected = numbers;
  std::sort(expected.begin(), expected.end());
  for (const SortKernel kernel : {SortKernel::kFastest, SortKernel::kPortable}) {
    Numbers sorted = numbers;
    SortNumbers(std::span(sorted), kernel);
    EXPECT_TRUE(sorted == expected) << (kernel == SortKernel::kFastest ? "fastest" : "portable");
  }
}

TEST(NumberSortTest, SortsEveryShapeAtEverySmallSize) {
  Random random(1);
  for (const Shape& shape : Shapes()) {
    SCOPED_TRACE(shape.name);
    for (std::size_t count = 0; count < 300; count += count < 40 ? 1 : 13) {
      SCOPED_TRACE(count);
      ExpectBothKernelsSort(MakeNumbers(shape, count, random));
    }
  }
}

TEST(NumberSortTest, SortsEveryShapeAtLargeSizes) {
  for (const std::uint64_t seed : {11, 12}) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    for (const Shape& shape : Shapes()) {
      SCOPED_TRACE(shape.name);
      for (const std::size_t count : {1000, 4097, 30000})
        ExpectBothKernelsSort(MakeNumbers(shape, count + random() % 17, random));
    }
  }
}

TEST(NumberSortTest, KeepsEveryLowHalfBesideItsHighHalf) {
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    Numbers numbers(1 + random() % 3000);
    for (Number128& number : numbers) {
      number.high = random() % 4 == 0 ? UINT64_MAX : random() % 100;
      number.low = number.high * 0x9e3779b97f4a7c15u + (random() % 2);
    }
    ExpectBothKernelsSort(numbers);
    for (const SortKernel kernel : {SortKernel::kFastest, SortKernel::kPortable}) {
      Numbers sorted = numbers;
      SortNumbers(std::span(sorted), kernel);
      for (const Number128& number : sorted)
        ASSERT_LE(number.low - number.high * 0x9e3779b97f4a7c15u, 1u);
    }
  }
}

TEST(NumberSortTest, ComparesLowHalvesAsUnsignedWhereHighHalvesAgree) {
  Numbers numbers;
  for (std::uint64_t low : {UINT64_MAX, std::uint64_t{0}, std::uint64_t{1} << 63, std::uint64_t{7}})
    for (std::uint64_t high : {UINT64_MAX, std::uint64_t{1} << 63, std::uint64_t{0}})
      for (int copies = 0; copies < 40; ++copies) numbers.push_back({low, high});
  ExpectBothKernelsSort(numbers);
}

}  // namespace
}  // namespace spillway
