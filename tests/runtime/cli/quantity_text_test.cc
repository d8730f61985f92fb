#include "runtime/cli/quantity_text.h"

#include <gtest/gtest.h>

namespace spillway {
namespace {

TEST(QuantityText, DurationsUseTheUnitThatFits) {
  EXPECT_EQ(FormatDuration(0), "0 ms");
  EXPECT_EQ(FormatDuration(999), "999 ms");
  EXPECT_EQ(FormatDuration(1'234), "1.23 s");
  EXPECT_EQ(FormatDuration(48'100), "48.1 s");
  EXPECT_EQ(FormatDuration(125'000), "2 min 05 s");
  EXPECT_EQ(FormatDuration(3'600'000 * 3 + 7 * 60'000), "3 h 07 min");
}

TEST(QuantityText, WholeDurationsHaveNoFractions) {
  EXPECT_EQ(FormatWholeDuration(5'900), "5 s");
  EXPECT_EQ(FormatWholeDuration(600'000), "10 min");
  EXPECT_EQ(FormatWholeDuration(125'000), "2 min 05 s");
  EXPECT_EQ(FormatWholeDuration(3 * 3'600'000), "3 h");
  EXPECT_EQ(FormatWholeDuration(3 * 3'600'000 + 60'000), "3 h 01 min");
}

TEST(QuantityText, APercentageIsFullOnlyAtTheEnd) {
  EXPECT_EQ(Percent(0, 10), 0u);
  EXPECT_EQ(Percent(999'999, 1'000'000), 99u);
  EXPECT_EQ(Percent(UINT64_MAX - 1, UINT64_MAX), 99u);
  EXPECT_EQ(Percent(10, 10), 100u);
  EXPECT_EQ(Percent(0, 0), 100u);
}

TEST(QuantityText, RatesNeedTime) {
  EXPECT_EQ(FormatRate(1 << 20, 500), "2 MiB/s");
  EXPECT_EQ(FormatRate(1 << 20, 0), "-");
}

TEST(QuantityText, NounsAgreeWithTheirNumber) {
  EXPECT_EQ(FormatNoun(1, "file"), "1 file");
  EXPECT_EQ(FormatNoun(1'000, "file"), "1 000 files");
}

}  // namespace
}  // namespace spillway
