#include "mapreduce/partition_path.h"

#include <gmock/gmock.h>

#include "mapreduce/testing/test_host.h"

namespace spillway {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(PartitionPath, HasTheLevelsOfItsDirectoriesAlone) {
  EXPECT_THAT(ParsePartitionPath("/data/date=2024-01-01/x/country=de/part=1"),
              ElementsAre(PartitionLevel{"date", "2024-01-01"}, PartitionLevel{"country", "de"}));
  EXPECT_THAT(ParsePartitionPath("a=b"), ElementsAre());
  EXPECT_THAT(ParsePartitionPath("=b/plain/c"), ElementsAre());
}

TEST(PartitionPath, TakesBackWhatANameCannotHold) {
  EXPECT_EQ(ParsePartitionLevel("path=a%2Fb%3d%zz%4"), (PartitionLevel{"path", "a/b=%zz%4"}));
  EXPECT_EQ(ParsePartitionLevel("at=12%3A30"), (PartitionLevel{"at", "12:30"}));
  EXPECT_EQ(ParsePartitionLevel("day=__HIVE_DEFAULT_PARTITION__"), (PartitionLevel{"day", ""}));
  EXPECT_EQ(ParsePartitionLevel("day="), (PartitionLevel{"day", ""}));
}

TEST(PartitionColumn, IsAskedFileByFile) {
  const TestSetup setup;
  internal::TestHost host(setup,
                          {.paths = {"t/date=1/a", "t/date=2/b", "t/day=3/country=de/c", "plain"}});
  PartitionColumn date(TaskContext(host.task()), "date");
  EXPECT_EQ(date.Of(0), "1");
  EXPECT_EQ(date.Of(1), "2");
  EXPECT_EQ(date.Of(0), "1");
  try {
    date.Of(2);
    FAIL() << "a key that is not there";
  } catch (const std::out_of_range& error) {
    EXPECT_THAT(error.what(), HasSubstr("'t/day=3/country=de/c' lies in no directory named date="));
    EXPECT_THAT(error.what(), HasSubstr("day, country"));
  }
  EXPECT_THROW(date.Of(3), std::out_of_range);
  EXPECT_EQ(date.Of(1), "2");
}

}  // namespace
}  // namespace spillway
