#include "runtime/local/input_places.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace spillway {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(InputPlaces, TheLongestDirectoryCounts) {
  InputPlaces places;
  EXPECT_TRUE(places.empty());
  ASSERT_TRUE(places.Add("/data=h1,h2").ok());
  ASSERT_TRUE(places.Add("/data/hot/=h3").ok());
  ASSERT_TRUE(places.Add("/data/hot/day=1=h4").ok()) << "names of files may hold '='";
  EXPECT_THAT(places.HostsOf("/data/a"), ElementsAre("h1", "h2"));
  EXPECT_THAT(places.HostsOf("/data"), ElementsAre("h1", "h2"));
  EXPECT_THAT(places.HostsOf("/data/hot/x/y"), ElementsAre("h3"));
  EXPECT_THAT(places.HostsOf("/data/hot/day=1/y"), ElementsAre("h4"));
  EXPECT_THAT(places.HostsOf("/data/hotter"), ElementsAre("h1", "h2")) << "no part of a name";
  EXPECT_THAT(places.HostsOf("/database"), IsEmpty());
  EXPECT_THAT(places.HostsOf("/"), IsEmpty());
}

TEST(InputPlaces, TheRootHoldsEverything) {
  InputPlaces places;
  ASSERT_TRUE(places.Add("/=h").ok());
  EXPECT_THAT(places.HostsOf("/a/b"), ElementsAre("h"));
}

TEST(InputPlaces, NonsenseIsRefused) {
  InputPlaces places;
  for (const char* text : {"", "/data", "=h", "/data=", "/data=h,,g", "/data=,h"})
    EXPECT_EQ(places.Add(text).code(), Code::kInvalidArgument) << text;
  ASSERT_TRUE(places.Add("/data=h").ok());
  EXPECT_EQ(places.Add("/data/=g").code(), Code::kInvalidArgument);
}

TEST(PlaceTally, TheHostOfTheMostBytesIsTheBest) {
  PlaceTally tally;
  EXPECT_THAT(tally.Best(), IsEmpty());
  tally.Add({"a"}, 10);
  tally.Add({"b", "c"}, 8);
  tally.Add({"c"}, 3);
  EXPECT_THAT(tally.Best(), ElementsAre("c", "a", "b"));
}

}  // namespace
}  // namespace spillway
