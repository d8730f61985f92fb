#include "runtime/stream/stream_options.h"

#include <gtest/gtest.h>

#include <vector>

namespace spillway {
namespace {

Result<StreamOptions> Read(const std::vector<const char*>& words) {
  return ReadStreamOptions(Args(words.data(), words.size()));
}

TEST(StreamOptions, NameCommandsAsTheyAre) {
  const auto options =
      Read({"--mapper=a --b=c", "--reducer=wc -l", "--combiner=x", "--directory=/d"});
  ASSERT_TRUE(options.ok()) << options.status().message();
  EXPECT_EQ(options->mapper, "a --b=c");
  EXPECT_EQ(options->reducer, "wc -l");
  EXPECT_EQ(options->combiner, "x");
  EXPECT_EQ(options->directory, "/d");
  EXPECT_FALSE(options->map_only);
}

TEST(StreamOptions, NoneIsNoReducePhaseAndNothingIsTheSortedLines) {
  EXPECT_TRUE(Read({"--mapper=cat", "--reducer=NONE"})->map_only);
  EXPECT_FALSE(Read({"--mapper=cat"})->map_only);
}

TEST(StreamOptions, RefuseWhatMakesNoJob) {
  EXPECT_EQ(Read({"--reducer=cat"}).status().code(), Code::kInvalidArgument);
  EXPECT_EQ(Read({"--mapper=cat", "x"}).status().message(), "unknown argument 'x'");
  EXPECT_FALSE(Read({"--mapper=cat", "--reducer=NONE", "--combiner=cat"}).ok());
}

}  // namespace
}  // namespace spillway
