#include "my_job.h"

#include <gtest/gtest.h>
#include <mapreduce/testing.h>

namespace {

using spillway::CheckCombiner;
using spillway::CheckDeterminism;
using spillway::Found;
using spillway::JobOutcome;
using spillway::Lines;
using spillway::MapText;
using spillway::PluginTest;
using spillway::Records;

constexpr const char* kText = "To be or not to be\n\nthat is THE question\n";

TEST(CountWords, EmitsEachWordInLowerCase) {
  EXPECT_EQ(MapText<CountWords>("To BE").records, Records<CountWords>({{"to", 1}, {"be", 1}}));
}

TEST(MyJob, CountsWordsInOrder) {
  const JobOutcome outcome = PluginTest().Input(kText).Run();
  EXPECT_EQ(Found(outcome.status), "");
  EXPECT_EQ(outcome.lines(), Lines({"be\t2", "is\t1", "not\t1", "or\t1", "question\t1", "that\t1",
                                    "the\t1", "to\t2"}));
  EXPECT_EQ(outcome.counter("input", "empty lines"), 1u);
}

TEST(MyJob, DoesNotDependOnHowTheInputIsCut) {
  EXPECT_EQ(Found(CheckDeterminism(PluginTest().Input(kText))), "");
  EXPECT_EQ(Found(CheckCombiner(PluginTest().Input(kText))), "");
}

TEST(MyJob, RefusesArguments) {
  EXPECT_EQ(Found(PluginTest({"--what"}).Run().status), "what is meant by --what");
}

}  // namespace
