#include "runtime/cli/manual_page.h"

#include <gtest/gtest.h>

namespace spillway {
namespace {

TEST(ManualPage, EscapesWhatRoffWouldTakeForItself) {
  constexpr OptionSpec kOptions[] = {{.name = "dry-run", .letter = 'd', .help = ".starts 'so' \\"}};
  const CommandSpec command = {.name = "jobs list",
                               .summary = "list - all",
                               .usage = "[x]",
                               .description = "One.\n\n'Two'.",
                               .options = kOptions,
                               .examples = "a -b\n.c"};
  EXPECT_EQ(ManualName(command), "spillway-jobs-list");
  const std::string page = CommandManual(command);
  EXPECT_NE(page.find("spillway\\-jobs\\-list \\- list \\- all\n"), std::string::npos) << page;
  EXPECT_NE(page.find("One.\n.PP\n\\&\\(aqTwo\\(aq.\n"), std::string::npos) << page;
  EXPECT_NE(page.find("\\fB\\-d\\fR, \\fB\\-\\-dry\\-run\\fR"), std::string::npos) << page;
  EXPECT_NE(page.find("\n\\&.starts \\(aqso\\(aq \\e\n"), std::string::npos) << page;
  EXPECT_NE(page.find("a \\-b\n\\&.c\n.fi"), std::string::npos) << page;
}

TEST(ManualPage, OfSpillwayNamesEveryCommandAndVariable) {
  const std::string page = OverviewManual();
  for (const CommandSpec& command : Commands()) {
    std::string name = ManualName(command);
    for (std::size_t at = 0; (at = name.find('-', at)) != std::string::npos; at += 2)
      name.replace(at, 1, "\\-");
    EXPECT_NE(page.find(".BR " + name + " (1)\n"), std::string::npos) << name;
  }
  EXPECT_NE(page.find(".B SPILLWAY_SPLIT_SIZE\n"), std::string::npos);
}

}  // namespace
}  // namespace spillway
