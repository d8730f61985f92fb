#include "my_job.h"

#include <gtest/gtest.h>
#include <mapreduce/testing.h>

namespace {

using spillway::CheckDeterminism;
using spillway::Code;
using spillway::Found;
using spillway::JobOutcome;
using spillway::Lines;
using spillway::MapText;
using spillway::PluginTest;
using spillway::Records;

constexpr const char* kText = "3\tthree\n-1\tminus one\n20\ttwenty\n3\tthree again\n";

TEST(ParseNumber, SplitsAtTheFirstTab) {
  EXPECT_EQ(MapText<ParseNumber>("-7\ta\tb\n").records, Records<ParseNumber>({{{-7}, "a\tb"}}));
}

TEST(ParseNumber, RefusesWhatIsNoNumber) {
  EXPECT_EQ(MapText<ParseNumber>("7 a\n").status.code(), Code::kBadData);
  EXPECT_EQ(MapText<ParseNumber>("7x\ta\n").status.code(), Code::kBadData);
  EXPECT_EQ(MapText<ParseNumber>("99999999999999999999\ta\n").status.code(), Code::kBadData);
}

TEST(MyJob, SortsFromLargeToSmallAndKeepsTheOrderOfEqualNumbers) {
  const JobOutcome outcome = PluginTest().Input(kText).Run();
  EXPECT_EQ(Found(outcome.status), "");
  EXPECT_EQ(outcome.lines(), Lines({"20\ttwenty", "3\tthree", "3\tthree again", "-1\tminus one"}));
}

TEST(MyJob, IsSortedOverSeveralParts) {
  EXPECT_EQ(PluginTest().Input(kText).Reducers(3).Run().lines(),
            PluginTest().Input(kText).Run().lines());
}

TEST(MyJob, DoesNotDependOnHowTheInputIsCut) {
  EXPECT_EQ(Found(CheckDeterminism(PluginTest().Input(kText).Reducers(2))), "");
}

}  // namespace
