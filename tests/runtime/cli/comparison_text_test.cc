#include "runtime/cli/comparison_text.h"

#include <gmock/gmock.h>

#include "tests/runtime/cli/golden_text.h"
#include "tests/runtime/comparison/sample_comparison.h"

namespace spillway {
namespace {

TEST(ComparisonText, IsAsReviewed) {
  ComparisonReport report = SampleComparison();
  LoopComparison refused = SampleLoop();
  refused.name = "page_rank";
  refused.memory.failure = "it has no memory mode";
  report.loops.push_back(refused);
  ExpectGolden("comparison.txt", ComparisonText(report, {}));
  ExpectGolden("comparison_ascii.txt", ComparisonText(report, {.blocks = false, .text = {}}));
}

TEST(ComparisonText, BarsAreNeverNothing) {
  EXPECT_EQ(Bar(0, 40, true), "▏");
  EXPECT_EQ(Bar(1, 3, true), "███");
  EXPECT_EQ(Bar(0.5, 3, true), "█▌");
  EXPECT_EQ(Bar(0.001, 40, false), "#");
  EXPECT_EQ(Bar(2, 3, false), "###");
}

}  // namespace
}  // namespace spillway
