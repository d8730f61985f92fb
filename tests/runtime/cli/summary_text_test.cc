#include "runtime/cli/summary_text.h"

#include <gmock/gmock.h>

#include "tests/runtime/cli/fake_runner.h"
#include "tests/runtime/cli/golden_text.h"

namespace spillway {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(SummaryText, IsAsReviewed) {
  const JobReport report = SampleReport();
  ExpectGolden("summary.txt", SummaryText(report, false, TextStyle()));
  ExpectGolden("summary_verbose.txt", SummaryText(report, true, TextStyle()));
}

TEST(SummaryText, ColourIsOnlyThereWhenAskedFor) {
  EXPECT_THAT(SummaryText(SampleReport(), false, TextStyle()), Not(HasSubstr("\x1b")));
  EXPECT_THAT(SummaryText(SampleReport(), false, {.color = true}), HasSubstr("\x1b[1;32m"));
}

TEST(SummaryText, UserTextCannotSteerTheTerminal) {
  JobReport report = SampleReport();
  report.counters = {{"a\x1b[2J", {{"b\n", 1}}}};
  const std::string text = SummaryText(report, false, TextStyle());
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
  EXPECT_THAT(text, HasSubstr("b\\x0a"));
}

TEST(Skew, ComparesTheLargestWithTheMedian) {
  EXPECT_EQ(MeasureSkew({}).largest_bytes, 0u);
  const Skew odd = MeasureSkew({9, 1, 3});
  EXPECT_EQ(odd.largest_bytes, 9u);
  EXPECT_EQ(odd.median_bytes, 3u);
  EXPECT_DOUBLE_EQ(odd.ratio, 3.0);
  EXPECT_EQ(MeasureSkew({4, 2, 8, 2}).median_bytes, 3u);
  EXPECT_DOUBLE_EQ(MeasureSkew({0, 0, 7}).ratio, 0.0);
  EXPECT_EQ(MeasureSkew({UINT64_MAX, UINT64_MAX}).median_bytes, UINT64_MAX);
}

}  // namespace
}  // namespace spillway
