#include "runtime/hadoop/streaming_words.h"

#include <gtest/gtest.h>

namespace spillway {
namespace {

using Words = std::vector<std::string>;

TEST(StreamingWords, SplitCommandsAsHadoopDoes) {
  EXPECT_EQ(SplitCommand("awk -F\\t '{print $1 \"x\"}'"),
            (Words{"awk", "-F\\t", "{print $1 \"x\"}"}));
  EXPECT_EQ(SplitCommand("  a  \"b 'c'\" $HOME * | d "),
            (Words{"a", "b 'c'", "$HOME", "*", "|", "d"}));
  EXPECT_EQ(SplitCommand("a'b c'd"), (Words{"a", "b c", "d"}));
  EXPECT_EQ(SplitCommand("a '' b"), (Words{"a", "b"}));
  EXPECT_EQ(SplitCommand(" "), Words());
}

TEST(StreamingWords, QuoteOnlyWhatAShellWouldTouch) {
  EXPECT_EQ(QuoteForShell("./map.py"), "./map.py");
  EXPECT_EQ(QuoteForShell("A=b"), "'A=b'");
  EXPECT_EQ(QuoteForShell(""), "''");
  EXPECT_EQ(QuoteForShell("it's $x"), "'it'\\''s $x'");
}

TEST(StreamingWords, AreReadWithOldNamesAndNew) {
  const auto job =
      ReadStreamingWords({"x/hadoop-streaming.jar", "-D", "mapred.reduce.tasks=4", "-Da=b=c",
                          "-files", "f#g,h/i", "-input", "a,{b,c}/d", "-output", "o", "-mapper",
                          "cat", "-partitioner", "x.y.HashPartitioner"});
  ASSERT_TRUE(job.ok()) << job.status().message();
  EXPECT_EQ(job->reduce_tasks, "4");
  EXPECT_EQ(job->Property("a"), "b=c");
  EXPECT_EQ(job->inputs, (Words{"a", "{b,c}/d"}));
  ASSERT_EQ(job->files.size(), 2u);
  EXPECT_EQ(job->files[0].name, "g");
  EXPECT_EQ(job->files[1].source, "h/i");
  EXPECT_EQ(job->files[1].name, "i");
  EXPECT_EQ(job->partitioner, "HashPartitioner");
}

TEST(StreamingWords, NeedAStreamingJar) {
  for (const Words& words : {Words{}, Words{"my.jar"}, Words{"hadoop-examples.jar"}})
    EXPECT_EQ(ReadStreamingWords(words).status().code(), Code::kInvalidArgument);
}

}  // namespace
}  // namespace spillway
