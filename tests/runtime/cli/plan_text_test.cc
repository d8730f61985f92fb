#include "runtime/cli/plan_text.h"

#include <gmock/gmock.h>

#include "tests/runtime/cli/fake_runner.h"
#include "tests/runtime/cli/golden_text.h"

namespace spillway {
namespace {

using testing::HasSubstr;

TEST(PlanText, IsAsReviewed) {
  JobPlan plan = SamplePlan();
  ExpectGolden("plan.txt", PlanText(plan) + ReasonsText(plan));
  plan.splits.resize(1);
  plan.maps = 1;
  plan.reducer_name.clear();
  plan.shuffle = "none (map only)";
  plan.partitions = 0;
  plan.scratch_bytes_needed = 0;
  ExpectGolden("plan_map_only.txt", PlanText(plan));
}

TEST(PlanText, WarnsOnlyWhenTheScratchSpaceIsTooSmall) {
  JobPlan plan = SamplePlan();
  EXPECT_EQ(ScratchWarning(plan), "");
  plan.scratch = {{"/a", 100 << 20}, {"/b", 200 << 20}};
  EXPECT_EQ(ScratchWarning(plan), "");
  plan.scratch[1].free_bytes -= 1;
  EXPECT_EQ(ScratchWarning(plan),
            "the job may spill 300 MiB, but only 300 MiB are free in /a, /b. Free some space, name "
            "further directories with --spill-dir, or give more --memory.");
  plan.scratch = {{"/a", UINT64_MAX}, {"/b", UINT64_MAX}};
  EXPECT_EQ(ScratchWarning(plan), "");
}

TEST(PlanText, SaysThatAChainIsPlannedStageByStage) {
  JobPlan plan = SamplePlan();
  EXPECT_THAT(PlanText(plan), testing::Not(HasSubstr("chain")));
  plan.chain.resize(3);
  EXPECT_THAT(PlanText(plan), HasSubstr("chain       3 stages; this is the first"));
}

TEST(PlanText, TellsWhereSettingsCameFrom) {
  auto line = ParseCommandLine(*FindCommand("run"), {"--memory", "1G"});
  const auto settings = ResolveSettings(*line, {{"SPILLWAY_SPILL_DIR", "/a:/b"}}, {});
  EXPECT_EQ(OriginsText(*settings),
            "Settings that were named:\n"
            "  memory      1G (from --memory)\n"
            "  spill-dir   /a, /b (from SPILLWAY_SPILL_DIR)\n");
  EXPECT_THAT(OriginsText(Settings()), HasSubstr("none"));
}

}  // namespace
}  // namespace spillway
