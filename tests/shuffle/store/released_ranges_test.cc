#include "shuffle/store/released_ranges.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace spillway {
namespace {

TEST(ReleasedRanges, AgreesWithABitmapInAnyOrder) {
  constexpr std::uint64_t kBytes = 200;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    ReleasedRanges ranges;
    std::vector<bool> released(kBytes + 1, false);  // One more, never released, as a stop.
    for (int i = 0; i < 40; ++i) {
      const std::uint64_t begin = random() % kBytes;
      const std::uint64_t end = begin + random() % std::min<std::uint64_t>(kBytes - begin + 1, 20);
      const auto merged = ranges.Add(begin, end);
      for (std::uint64_t b = begin; b < end; ++b) released[b] = true;
      if (begin < end) {
        std::uint64_t first = begin, last = end;
        while (first > 0 && released[first - 1]) --first;
        while (released[last]) ++last;
        EXPECT_EQ(merged.begin, first);
        EXPECT_EQ(merged.end, last);
      }
    }
  }
}

}  // namespace
}  // namespace spillway
