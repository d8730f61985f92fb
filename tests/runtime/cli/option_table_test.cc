#include "runtime/cli/option_table.h"

#include <gtest/gtest.h>

#include <set>

#include "runtime/cli/help_text.h"
#include "tests/runtime/cli/golden_text.h"

namespace spillway {
namespace {

TEST(OptionTable, NamesAndLettersAreUniqueWithinACommand) {
  for (const CommandSpec& command : Commands()) {
    std::set<std::string_view> names;
    std::set<char> letters;
    for (const OptionSpec& option : command.options) {
      EXPECT_TRUE(names.insert(option.name).second) << option.name;
      EXPECT_TRUE(option.letter == 0 || letters.insert(option.letter).second) << option.letter;
      EXPECT_TRUE(option.help.ends_with(".")) << option.name;
    }
    EXPECT_TRUE(names.contains("help")) << command.name;
  }
}

TEST(OptionTable, ThereAreFewerThanTwentySettings) {
  EXPECT_LT(AllSettings().size(), 20u);
  for (const OptionSpec* setting : AllSettings()) EXPECT_EQ(FindSetting(setting->name), setting);
}

TEST(OptionTable, EnvironmentNamesFollowTheOption) {
  EXPECT_EQ(EnvironmentName(*FindSetting("split-size")), "SPILLWAY_SPLIT_SIZE");
  EXPECT_EQ(FindSetting("input"), nullptr);
}

TEST(HelpText, FitsTheTerminal) {
  std::string text = OverviewHelp();
  for (const CommandSpec& command : Commands()) text += CommandHelp(command);
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), kHelpColumns) << line;
}

TEST(HelpText, IsAsReviewed) {
  ExpectGolden("help.txt", OverviewHelp());
  for (const CommandSpec& command : Commands()) {
    std::string name(command.name);
    for (char& c : name)
      if (c == ' ') c = '_';
    ExpectGolden("help_" + name + ".txt", CommandHelp(command));
  }
}

TEST(HelpText, LongWordsAreNotBroken) {
  EXPECT_EQ(WrapText("aa bb cc", 2, 7), "aa bb\n  cc\n");
  EXPECT_EQ(WrapText("aaaaaaaaaa b", 0, 4), "aaaaaaaaaa\nb\n");
}

}  // namespace
}  // namespace spillway
