#include "runtime/coordinator/duration_histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

namespace spillway {
namespace {

TEST(DurationHistogram, AnswersZeroWhenNothingWasAdded) {
  const DurationHistogram histogram;
  EXPECT_EQ(histogram.Percentile(0.5), 0u);
  EXPECT_EQ(histogram.count(), 0u);
}

TEST(DurationHistogram, KeepsSmallValuesExactly) {
  DurationHistogram histogram;
  for (std::uint64_t us = 0; us < 16; ++us) histogram.Add(us);
  for (std::uint64_t us = 0; us < 16; ++us)
    EXPECT_EQ(histogram.Percentile(static_cast<double>(us + 1) / 16), us);
}

TEST(DurationHistogram, TakesTheGreatestValueThereIs) {
  DurationHistogram histogram;
  histogram.Add(UINT64_MAX);
  EXPECT_EQ(histogram.Percentile(1), UINT64_MAX);
  EXPECT_EQ(histogram.max_us(), UINT64_MAX);
}

TEST(DurationHistogram, PercentilesAreNeverBelowAndAtMostAnEighthAboveTheTrueOnes) {
  for (std::uint32_t seed = 1; seed <= 20; ++seed) {
    std::mt19937_64 random(seed);
    DurationHistogram histogram;
    std::vector<std::uint64_t> values(1 + random() % 2'000);
    for (std::uint64_t& us : values) {
      us = random() >> (random() % 60);
      histogram.Add(us);
    }
    std::sort(values.begin(), values.end());
    for (const double share : {0.01, 0.5, 0.9, 0.99, 1.0}) {
      const auto rank = static_cast<std::size_t>(
          std::max(1.0, std::ceil(share * static_cast<double>(values.size()))));
      const std::uint64_t exact = values[rank - 1];
      EXPECT_GE(histogram.Percentile(share), exact) << "seed " << seed << ", share " << share;
      EXPECT_LE(histogram.Percentile(share) - exact, exact / 8) << "seed " << seed;
    }
  }
}

}  // namespace
}  // namespace spillway
