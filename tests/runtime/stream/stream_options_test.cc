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

TEST(StreamOptions, TakeWhatHadoopsJobsAskFor) {
  const auto options = Read({"--mapper=cat", "--hadoop", "--offsets", "--lines-per-run=3",
                             "--key-separator=.", "--key-fields=2", "--partition-by=-k1,1",
                             "--order-by=-k2,2n", "--field-separator=:", "--variable=A=b=c"});
  ASSERT_TRUE(options.ok()) << options.status().message();
  EXPECT_TRUE(options->hadoop && options->offsets && !options->input_tabs);
  EXPECT_EQ(options->lines_per_run, 3u);
  EXPECT_EQ(options->keys.KeyBytes("a.b.c"), 3u);
  EXPECT_EQ(options->partition->Hash("a:b"), options->partition->Hash("a"));
  EXPECT_FALSE(options->keys.order.empty());
  EXPECT_EQ(options->variables, std::vector<std::string>{"A=b=c"});
  for (const char* word : {"--key-fields=0", "--key-fields=x", "--lines-per-run=", "--order-by=-q",
                           "--key-separator=", "--key-separator=ab", "--partition-by=-k"})
    EXPECT_FALSE(Read({"--mapper=cat", word}).ok()) << word;
}

TEST(StreamOptions, RefuseWhatMakesNoJob) {
  EXPECT_EQ(Read({"--reducer=cat"}).status().code(), Code::kInvalidArgument);
  EXPECT_EQ(Read({"--mapper=cat", "x"}).status().message(), "unknown argument 'x'");
  EXPECT_FALSE(Read({"--mapper=cat", "--reducer=NONE", "--combiner=cat"}).ok());
}

}  // namespace
}  // namespace spillway
