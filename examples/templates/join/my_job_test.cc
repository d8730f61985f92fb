#include "my_job.h"

#include <gtest/gtest.h>
#include <mapreduce/testing.h>

namespace {

using spillway::CheckDeterminism;
using spillway::Found;
using spillway::JobOutcome;
using spillway::JobTest;
using spillway::Lines;
using spillway::MapText;
using spillway::PluginTest;
using spillway::Records;
using spillway::ReduceRecords;

JobTest Sample() {
  return PluginTest()
      .Input("7\tbook\n8\tlamp\n7\tpen\n9\tchair\n", "in/orders.tsv")
      .Input("8\tBo\n7\tAda\n", "in/customers.tsv");
}

TEST(TagLines, KnowsTheSideByTheFile) {
  EXPECT_EQ(MapText<TagLines>("7\tAda\n", "in/customers-1.tsv").records,
            Records<TagLines>({{{"7", Side::kCustomer}, "Ada"}}));
  EXPECT_EQ(MapText<TagLines>("7\tbook\n", "customers/orders.tsv").records,
            Records<TagLines>({{{"7", Side::kOrder}, "book"}}));
}

TEST(TagLines, RefusesALineWithoutTab) {
  EXPECT_EQ(MapText<TagLines>("7 Ada\n").status.code(), spillway::Code::kBadData);
}

TEST(NameOrders, PutsTheNameBeforeEachOrder) {
  const auto joined = ReduceRecords<NameOrders, spillway::GroupByFirst>(
      {{{"7", Side::kOrder}, "book"}, {{"7", Side::kCustomer}, "Ada"}});
  EXPECT_EQ(joined.records, Records<NameOrders>({{"Ada", "book"}}));
}

TEST(MyJob, JoinsAndCountsWhatHasNoCustomer) {
  const JobOutcome outcome = Sample().Run();
  EXPECT_EQ(Found(outcome.status), "");
  EXPECT_EQ(outcome.lines(), Lines({"Ada\tbook", "Ada\tpen", "Bo\tlamp"}));
  EXPECT_EQ(outcome.counter("join", "orders of unknown customers"), 1u);
}

TEST(MyJob, DoesNotDependOnHowTheInputIsCut) { EXPECT_EQ(Found(CheckDeterminism(Sample())), ""); }

}  // namespace
