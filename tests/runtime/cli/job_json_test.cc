#include "runtime/cli/job_json.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "tests/runtime/cli/fake_runner.h"
#include "tests/runtime/cli/golden_text.h"

namespace spillway {
namespace {

TEST(JobJson, LinesAreAsReviewed) {
  JobProgress progress;
  progress.phase = JobProgress::Phase::kMap;
  progress.maps_done = 3;
  progress.maps_total = 8;
  progress.elapsed_ms = 1'500;
  PluginDescription plugin;
  plugin.path = "/a/b.so";
  plugin.name = "b";
  plugin.abi_version = 1;
  ExpectGolden("json_lines.txt", PlanJson(SamplePlan(), true) + "\n" + ProgressJson(progress) +
                                     "\n" + SummaryJson(SampleReport(), 0) + "\n" +
                                     PluginJson(plugin) + "\n");
}

TEST(JobJson, AFailureCarriesItsStatus) {
  JobReport report;
  report.status = UserCodeError("WordMapper threw \"x\"\nat a.txt:17");
  const auto json = nlohmann::json::parse(SummaryJson(report, 1));
  EXPECT_EQ(json["status"], "USER_CODE");
  EXPECT_EQ(json["exit_code"], 1);
  EXPECT_EQ(json["message"], report.status.message());
  EXPECT_EQ(json["counters"], nlohmann::json::object());
}

TEST(JobJson, AnyBytesMakeValidJsonOnOneLine) {
  JobReport report = SampleReport();
  report.output_dir = "o\xff\n\x01";
  report.counters = {{"g\xc3", {{"n\"", 1}}}};
  const std::string line = SummaryJson(report, 0);
  EXPECT_EQ(line.find('\n'), std::string::npos);
  EXPECT_TRUE(nlohmann::json::accept(line));
}

}  // namespace
}  // namespace spillway
