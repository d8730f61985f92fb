#include "my_job.h"

#include <gtest/gtest.h>
#include <mapreduce/testing.h>

namespace {

using spillway::CheckDeterminism;
using spillway::Code;
using spillway::Found;
using spillway::JobOutcome;
using spillway::Lines;
using spillway::PluginTest;

constexpr const char* kText = "1\n2\n3\n100\n104\n2\n";

TEST(TwoGroups, GivesANumberToItsNearestCentre) {
  TwoGroups::State state;
  state.centres[0] = 0;
  state.centres[1] = 10;
  TwoGroups::Partial partial;
  TwoGroups().Map({{-3, 5, 6, 20}}, state, partial);
  EXPECT_EQ(partial.sums[0], 2);  // The middle belongs to the first.
  EXPECT_EQ(partial.counts[0], 2u);
  EXPECT_EQ(partial.sums[1], 26);
  EXPECT_EQ(partial.counts[1], 2u);
}

TEST(MyJob, FindsTheCentresAndConverges) {
  const JobOutcome outcome = PluginTest().Input(kText).Run();
  EXPECT_EQ(Found(outcome.status), "");
  EXPECT_EQ(outcome.lines(), Lines({"2\t4", "102\t2"}));
  EXPECT_EQ(outcome.counter("loop", "converged"), 1u);
}

TEST(MyJob, OfEqualNumbersHasOneGroup) {
  EXPECT_EQ(PluginTest().Input("7\n7\n").Run().lines(), Lines({"7\t2", "7\t0"}));
}

TEST(MyJob, DoesNotDependOnHowTheInputIsCut) {
  EXPECT_EQ(Found(CheckDeterminism(PluginTest().Input(kText))), "");
}

TEST(MyJob, RefusesWhatItCannotUse) {
  EXPECT_EQ(PluginTest().Input("1\ntwo\n").Run().status.code(), Code::kBadData);
  EXPECT_EQ(PluginTest().Input("").Run().status.code(), Code::kBadData);
  EXPECT_EQ(Found(PluginTest({"--what"}).Run().status), "what is meant by --what");
}

}  // namespace
