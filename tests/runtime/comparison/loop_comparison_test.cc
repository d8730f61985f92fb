#include "runtime/comparison/loop_comparison.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "runtime/comparison/comparison_page.h"
#include "runtime/comparison/comparison_rows.h"
#include "runtime/comparison/figure_text.h"
#include "runtime/comparison/iteration_chart.h"
#include "tests/runtime/comparison/sample_comparison.h"

namespace spillway {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

TEST(LoopComparison, TellsTheFirstIterationFromTheLaterOnes) {
  const LoopComparison loop = SampleLoop();
  EXPECT_DOUBLE_EQ(loop.memory.later().median, 0.011);
  EXPECT_DOUBLE_EQ(loop.memory.later().least, 0.010);
  EXPECT_DOUBLE_EQ(loop.memory.later().most, 0.012);
  EXPECT_NEAR(*loop.first_ratio(), 0.9, 1e-9);
  EXPECT_NEAR(*loop.later_ratio(), 0.31 / 0.011, 1e-9);
}

TEST(LoopComparison, HasNoRatioWhereAModeDidNotRun) {
  LoopComparison loop = SampleLoop();
  loop.memory.failure = "it has no memory mode";
  EXPECT_FALSE(loop.complete());
  EXPECT_FALSE(loop.later_ratio().has_value());
  EXPECT_THAT(LoopTitle(loop), HasSubstr("; no memory mode: it has no memory mode"));
  EXPECT_EQ(FigureCells(loop.memory)[1], "-");
  EXPECT_THAT(ComparisonCsv({"", "", {loop}}), Not(HasSubstr("memory")));
}

TEST(LoopComparison, ReadsTheSummaryOfARun) {
  ModeFigures figures;
  const Status status = ReadSummary(
      R"({"event":"summary","message":"","start_seconds":1.5,"iteration_seconds":[0.25,0.5],)"
      R"("read_bytes":7,"written_bytes":6,"spilled_bytes":5,"shuffled_bytes":4,)"
      R"("peak_rss_bytes":3,"map_ms":1500,"cpu_seconds":2.5,"converged":true})",
      &figures);
  ASSERT_TRUE(status.ok()) << status.message();
  EXPECT_EQ(figures.start_seconds, 1.5);
  EXPECT_THAT(figures.iteration_seconds, ElementsAre(0.25, 0.5));
  EXPECT_EQ(figures.read_bytes, 7u);
  EXPECT_EQ(figures.written_bytes, 6u);
  EXPECT_EQ(figures.spilled_bytes, 5u);
  EXPECT_EQ(figures.shuffled_bytes, 4u);
  EXPECT_TRUE(figures.here());
  EXPECT_EQ(figures.map_seconds, 1.5);
  EXPECT_TRUE(figures.converged);
  EXPECT_EQ(ReadSummary("", &figures).code(), Code::kInternal);
  EXPECT_EQ(ReadSummary("[1]", &figures).code(), Code::kInternal);
}

TEST(FigureText, KeepsThreeDigits) {
  EXPECT_EQ(FormatSeconds(0.000461), "0.46 ms");
  EXPECT_EQ(FormatSeconds(0.0112), "11.2 ms");
  EXPECT_EQ(FormatSeconds(0.9994), "999 ms");
  EXPECT_EQ(FormatSeconds(0.9996), "1.00 s");
  EXPECT_EQ(FormatSeconds(312.4), "312 s");
  EXPECT_EQ(FormatRatio(27.94), "27.9x");
  EXPECT_EQ(FormatRatio(std::nullopt), "-");
}

TEST(ComparisonRows, CsvHasARowForEachIterationAndOneForAll) {
  const std::string csv = ComparisonCsv(SampleComparison());
  EXPECT_THAT(csv, HasSubstr("k_means,memory,0,0.500000,,,,,,\nk_means,memory,1,0.012000,"));
  EXPECT_THAT(csv, HasSubstr("k_means,disk,3,0.310000,,,,,,\n"
                             "k_means,disk,all,1.500000,1.100000,268435456,3000,0,460800,"
                             "125829120\n"));
  LoopComparison odd = SampleLoop();
  odd.name = "a,\"b\"";
  EXPECT_THAT(ComparisonCsv({"", "", {odd}}), HasSubstr("\n\"a,\"\"b\"\"\",memory,0,"));
}

TEST(ComparisonRows, JsonHasBothModes) {
  const auto json = nlohmann::json::parse(ComparisonJson(SampleComparison(), 0));
  const auto& loop = json["examples"][0];
  EXPECT_EQ(loop["same_output"], true);
  EXPECT_NEAR(loop["later_ratio"].get<double>(), 28.18, 0.01);
  EXPECT_EQ(loop["modes"][1]["mode"], "disk");
  EXPECT_EQ(loop["modes"][1]["iteration_seconds"].size(), 3u);
}

TEST(ComparisonPage, NeedsNothingBesideIt) {
  LoopComparison loop = SampleLoop();
  loop.name = "./<a>&b.so";
  const std::string page = ComparisonPage({"A \"machine\"", "spillway bench", {loop}});
  EXPECT_THAT(page, HasSubstr("<h2>./&lt;a&gt;&amp;b.so</h2>"));
  EXPECT_THAT(page, HasSubstr("time (log scale)"));
  EXPECT_THAT(page, HasSubstr("28.2x"));
  for (const char* foreign : {"http", "<script", "src=", "url(", "@import"})
    EXPECT_THAT(page, Not(HasSubstr(foreign)));
}

TEST(IterationChart, IsLogarithmicOnlyWhereItHelps) {
  LoopComparison loop = SampleLoop();
  EXPECT_THAT(IterationChart(loop), HasSubstr("time (log scale)"));
  loop.memory.iteration_seconds = loop.disk.iteration_seconds;
  EXPECT_THAT(IterationChart(loop), Not(HasSubstr("log scale")));
}

TEST(IterationChart, LeavesOutWhatIsNotKnown) {
  LoopComparison loop = SampleLoop();
  loop.disk.start_seconds = 0;
  EXPECT_THAT(IterationChart(loop), Not(HasSubstr("nan")));
  EXPECT_THAT(IterationChart(loop), Not(HasSubstr("inf")));
  loop.memory.failure = loop.disk.failure = "refused";
  EXPECT_EQ(IterationChart(loop), "");
}

}  // namespace
}  // namespace spillway
