#include "runtime/cli/job_state_text.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "runtime/cli/text_table.h"
#include "tests/runtime/cli/golden_text.h"
#include "tests/runtime/cli/sample_cluster.h"

namespace spillway {
namespace {

constexpr std::uint64_t kNowUnixMs = 1'800'000'000'000;

TEST(JobStateText, IsAsReviewed) {
  ExpectGolden("jobs_list.txt",
               JobListText(SampleJobs(), kNowUnixMs) + JobListText(wire::JobStates(), kNowUnixMs));
  ExpectGolden("jobs_status.txt",
               JobStatusText(SampleRunningJob()) + "\n" + JobStatusText(SampleFailedJob()));
  ExpectGolden("cluster_status.txt", ClusterText(SampleCluster(), "tcp://head:7077") + "\n" +
                                         ClusterText(wire::ClusterState(), "tcp://head:7077"));
  ExpectGolden("jobs_json.txt", JobListJson(SampleJobs()) + "\n" +
                                    JobStatusJson(SampleRunningJob()) + "\n" +
                                    ClusterJson(SampleCluster(), "tcp://head:7077") + "\n");
}

TEST(JobStateText, AClockThatIsBehindMakesNoHugeAge) {
  EXPECT_NE(JobListText(SampleJobs(), 5).find("  0 s"), std::string::npos)
      << JobListText(SampleJobs(), 5);
}

TEST(JobStateText, JsonOfHostileBytesIsStillJson) {
  wire::JobState job = SampleRunningJob();
  job.set_output_dir("/data/\xff\"\n");
  const auto json = nlohmann::json::parse(JobStatusJson(job));
  EXPECT_EQ(json["state"], "map");
  EXPECT_EQ(json["ended"], false);
}

TEST(TextTable, NumbersStandOnTheRightAndWordsOnTheLeft) {
  EXPECT_EQ(TextTable({{"NAME", "COUNT", "END"}, {"a", "7", "x"}, {"bcdefg", "123456", "yy"}}),
            "NAME     COUNT  END\n"
            "a            7  x\n"
            "bcdefg  123456  yy\n");
  EXPECT_EQ(TextTable({{"A", "B"}, {"\xc3\xa4\xc3\xb6", "1"}}), "A   B\n\xc3\xa4\xc3\xb6  1\n");
  EXPECT_EQ(TextTable({}), "");
}

}  // namespace
}  // namespace spillway
