#include "runtime/cli/command_line.h"

#include <gmock/gmock.h>

#include <sstream>

#include "tests/runtime/cli/golden_text.h"

namespace spillway {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

using Words = std::vector<std::string>;

const CommandSpec& RunSpec() { return *FindCommand("run"); }

TEST(CommandLine, SeveralValuesAndSeveralOptionsAddUp) {
  const auto line =
      ParseCommandLine(RunSpec(), {"wordcount", "-i", "a", "b", "-o", "out", "--input", "c",
                                   "--spill-dir=/x", "--spill-dir", "/y"});
  ASSERT_TRUE(line.ok()) << line.status().message();
  EXPECT_THAT(line->operands, ElementsAre("wordcount"));
  EXPECT_THAT(line->Values("input"), ElementsAre("a", "b", "c"));
  EXPECT_THAT(line->Values("spill-dir"), ElementsAre("/x", "/y"));
  EXPECT_EQ(line->Value("output"), "out");
}

TEST(CommandLine, TheJobsOwnArgumentsAreLeftAlone) {
  const auto line =
      ParseCommandLine(RunSpec(), {"grep", "-i", "a", "--", "-i", "--memory", "--", "-h"});
  ASSERT_TRUE(line.ok()) << line.status().message();
  EXPECT_THAT(line->Values("input"), ElementsAre("a"));
  EXPECT_THAT(line->job_arguments, ElementsAre("-i", "--memory", "--", "-h"));
  EXPECT_FALSE(AsksForHelp({"grep", "--", "-h"}));
  EXPECT_TRUE(AsksForHelp({"grep", "--wrong", "-h"}));
}

TEST(CommandLine, AnOptionalValueDoesNotSwallowTheNextWord) {
  const auto line = ParseCommandLine(RunSpec(), {"--json", "wordcount", "--in-memory", "-q"});
  ASSERT_TRUE(line.ok()) << line.status().message();
  EXPECT_THAT(line->operands, ElementsAre("wordcount"));
  EXPECT_EQ(line->Value("json"), "summary");
  EXPECT_EQ(line->Value("in-memory"), "true");

  const auto events = ParseCommandLine(RunSpec(), {"--json=events", "--in-memory=no"});
  ASSERT_TRUE(events.ok()) << events.status().message();
  EXPECT_EQ(events->Value("json"), "events");
  EXPECT_EQ(events->Value("in-memory"), "no");
  EXPECT_THAT(events->operands, IsEmpty());
}

TEST(CommandLine, ShortOptionsTakeTheirValueDirectly) {
  const auto line = ParseCommandLine(RunSpec(), {"wordcount", "-r8", "-qv"});
  ASSERT_TRUE(line.ok()) << line.status().message();
  EXPECT_EQ(line->Value("reducers"), "8");
  EXPECT_TRUE(line->Has("quiet"));
  EXPECT_TRUE(line->Has("verbose"));
}

TEST(CommandLine, ASwitchGivenTwiceIsGivenOnce) {
  EXPECT_TRUE(ParseCommandLine(RunSpec(), {"-q", "--quiet"}).ok());
}

/// Every mistake that a command line can hold by itself, with the words people read then.
TEST(CommandLine, MistakesAreAnsweredAsReviewed) {
  const Words kMistakes[] = {
      {"--reducer", "3"},
      {"--memroy=1G"},
      {"-reducers", "3"},
      {"--mem", "1G"},
      {"--banana"},
      {"--operand", "x"},
      {"-z"},
      {"--reducers"},
      {"--reducers", "-q"},
      {"--reducers="},
      {"-i"},
      {"--quiet=yes"},
      {"--in-memory=maybe"},
      {"--json=event"},
      {"--reducers", "-1"},
      {"--reducers", "0"},
      {"--reducers", "100001"},
      {"--reducers", "1e3"},
      {"--reducers", "99999999999999999999"},
      {"--reducers", ""},
      {"--threads", "0"},
      {"--threads", "1025"},
      {"--retries", "-1"},
      {"--skip-bad", "some"},
      {"--memory", "4GBB"},
      {"--memory", "1K"},
      {"--memory", "0"},
      {"--memory", "-1"},
      {"--memory", "99999999T"},
      {"--split-size", "0"},
      {"--split-size", "12"},
      {"--compress", "lz5"},
      {"--compress", "gzip"},
      {"--progress", "fancy"},
      {"--timeout", "0"},
      {"--timeout", "soon"},
      {"--timeout", "1000h"},
      {"--file", "stopwords"},
      {"--file", "=x"},
      {"-o", ""},
      {"--memory", "1G", "--memory", "2G"},
      {"-o", "a", "-o", "b"},
      {"--in-memory", "--in-memory=false"},
      {"wordcount", "books/"},
      {"\x1b[31mred", "b\xff"},
      {"--\x1b[31mred"},
  };
  std::string answers;
  for (const Words& words : kMistakes) {
    const auto line = ParseCommandLine(RunSpec(), words);
    std::string shown;
    for (const std::string& word : words) shown += " '" + word + "'";
    ASSERT_FALSE(line.ok()) << shown;
    EXPECT_EQ(line.status().code(), Code::kInvalidArgument) << shown;
    EXPECT_EQ(line.status().message().find('\x1b'), std::string::npos) << shown;
    for (const char c : shown)
      if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) > 0x7e)
        shown = " (bytes)";
    answers += "run" + shown + "\n    " + line.status().message() + "\n";
  }
  ExpectGolden("mistakes.txt", answers);
}

TEST(CommandLine, OnlyRunTakesJobArguments) {
  EXPECT_FALSE(ParseCommandLine(*FindCommand("version"), {"--", "x"}).ok());
  EXPECT_FALSE(ParseCommandLine(*FindCommand("version"), {"x"}).ok());
}

}  // namespace
}  // namespace spillway
