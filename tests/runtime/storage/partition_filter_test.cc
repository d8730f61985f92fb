#include "runtime/storage/partition_filter.h"

#include <gmock/gmock.h>

namespace spillway {
namespace {

using testing::HasSubstr;

PartitionFilter Filter(const std::vector<std::string>& conditions) {
  auto filter = PartitionFilter::Parse(conditions);
  EXPECT_TRUE(filter.ok()) << filter.status().message();
  return filter.ok() ? *filter : PartitionFilter();
}

TEST(PartitionFilter, ComparesDatesAsTextAndWholeNumbersAsNumbers) {
  struct Case {
    const char *condition, *value;
    bool fits;
  };
  for (const Case& c : std::vector<Case>{
           {"k=2024-01-01", "2024-01-01", true},
           {"k=2024-01-01", "2024-01-02", false},
           {"k!=de", "at", true},
           {"k!=de", "de", false},
           {"k>=2024-01-31", "2024-02-01", true},
           {"k>2024-01-31", "2024-01-31", false},
           {"k<=2024-01-31", "2024-01-31", true},
           {"k<2024-01-31", "2024-01-31", false},
           {"k=2", "02", true},
           {"k<10", "9", true},
           {"k>10", "9", false},
           {"k<-9", "-10", true},
           {"k>-1", "0", true},
           {"k=0", "-0", true},
           {"k<100000000000000000000000000001", "100000000000000000000000000000", true},
           {"k<10", "9a", false},  // No number: as text.
           {"k=a=b", "a=b", true},
           {"k=", "", true},
       })
    EXPECT_EQ(Filter({c.condition}).Fits("k", c.value), c.fits) << c.condition << " " << c.value;
}

TEST(PartitionFilter, NeedsAllConditionsOfAKeyAndNoneOfOthers) {
  const PartitionFilter filter = Filter({"date>=2024-01", "date<2024-02", "country=de"});
  EXPECT_TRUE(filter.Fits("date", "2024-01-15"));
  EXPECT_FALSE(filter.Fits("date", "2024-02-01"));
  EXPECT_TRUE(filter.Fits("hour", "1"));
  EXPECT_TRUE(filter.Names("country"));
  EXPECT_FALSE(filter.Names("hour"));
  EXPECT_EQ(filter.KeyNotIn({"date", "hour"}), "country");
  EXPECT_EQ(filter.KeyNotIn({"country", "date"}), "");
  EXPECT_EQ(filter.text(), "date>=2024-01 date<2024-02 country=de");
  EXPECT_TRUE(PartitionFilter().Fits("date", "x"));
}

TEST(PartitionFilter, RefusesWhatIsNoCondition) {
  for (const char* text : {"date", "", "=x", "date==x", "date=>x", "!date", "date!x", ">1"}) {
    const auto filter = PartitionFilter::Parse({"a=b", text});
    ASSERT_FALSE(filter.ok()) << text;
    EXPECT_EQ(filter.status().code(), Code::kInvalidArgument);
    EXPECT_THAT(filter.status().message(), HasSubstr("--where: '" + std::string(text) + "'"));
  }
}

}  // namespace
}  // namespace spillway
