// What the tests of kernels share: points, hostile ones too, the instruction sets that this machine
// runs, and the comparison of results bit by bit. One thread.
#pragma once

#include <gtest/gtest.h>
#include <hwy/targets.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <random>
#include <vector>

#include "points/point_block.h"

namespace spillway::test {

/// Every one that kernels are compiled for, as far as it runs here; the plain one is always there.
inline std::vector<std::int64_t> InstructionSets() {
  std::vector<std::int64_t> sets = {HWY_STATIC_TARGET};
  for (const std::int64_t set : {HWY_AVX2, HWY_AVX3, HWY_NEON})
    if ((hwy::SupportedTargets() & set) != 0 && set != HWY_STATIC_TARGET) sets.push_back(set);
  return sets;
}

/// Calls `test` once with each instruction set as the machine's only one.
inline void WithEachInstructionSet(const std::function<void()>& test) {
  for (const std::int64_t set : InstructionSets()) {
    SCOPED_TRACE(hwy::TargetName(set));
    hwy::SetSupportedTargetsForTest(set);
    test();
  }
  hwy::SetSupportedTargetsForTest(0);
}

class RandomNumbers {
 public:
  explicit RandomNumbers(std::uint64_t seed) : random_(seed) {}

  std::uint32_t Below(std::uint32_t end) { return static_cast<std::uint32_t>(random_() % end); }

  float Usual() { return static_cast<float>(Below(20'001)) * 1e-3f - 10; }

  /// Now and then no number, infinite, too large to be squared, or too small.
  float Hostile() {
    constexpr float kHostile[] = {std::numeric_limits<float>::quiet_NaN(),
                                  std::numeric_limits<float>::infinity(),
                                  -std::numeric_limits<float>::infinity(),
                                  std::numeric_limits<float>::max(),
                                  -1e30f,
                                  std::numeric_limits<float>::denorm_min(),
                                  -1e-30f,
                                  -0.0f};
    return Below(8) == 0 ? kHostile[Below(8)] : Usual();
  }

  std::vector<float> Many(std::size_t count, bool hostile) {
    std::vector<float> numbers(count);
    for (float& number : numbers) number = hostile ? Hostile() : Usual();
    return numbers;
  }

  /// Blocks of `points` points; what is behind the last one is zero.
  std::vector<float> Blocks(std::uint32_t points, std::uint32_t dims, bool hostile) {
    const std::size_t lanes = std::size_t{points::BlocksOf(points)} * points::kLanes;
    std::vector<float> blocks = Many(lanes * dims, hostile);
    for (std::size_t i = points; i < lanes; ++i)
      for (std::uint32_t d = 0; d < dims; ++d)
        blocks[(lanes / points::kLanes - 1) * dims * points::kLanes + d * points::kLanes +
               i % points::kLanes] = 0;
    return blocks;
  }

 private:
  std::mt19937_64 random_;
};

/// Whether the numbers are the same bits; one that is no number is like any other.
inline void ExpectSameBits(const std::vector<double>& got, const std::vector<double>& expected) {
  ASSERT_EQ(got.size(), expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    if (std::isnan(got[i]) && std::isnan(expected[i])) continue;
    ASSERT_EQ(std::bit_cast<std::uint64_t>(got[i]), std::bit_cast<std::uint64_t>(expected[i]))
        << "number " << i << ": " << got[i] << ", not " << expected[i];
  }
}

}  // namespace spillway::test
