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

}  // namespace
}  // namespace spillway
