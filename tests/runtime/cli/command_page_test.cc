// docs/command.md is written by hand; this keeps it from falling behind the code.

#if defined(__GNUC__) && !defined(__clang__)
// With sanitizers GCC 12 sees ghosts in std::regex (PR 105562).
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>
#include <string>

#include "runtime/cli/job_json.h"
#include "runtime/cli/job_state_text.h"
#include "runtime/cli/option_table.h"
#include "tests/places.h"
#include "tests/runtime/cli/fake_runner.h"
#include "tests/runtime/cli/sample_cluster.h"

namespace spillway {
namespace {

std::string CommandPage() {
  std::ifstream file(SourcePath("docs/command.md"));
  std::ostringstream text;
  text << file.rdbuf();
  EXPECT_FALSE(text.str().empty());
  return text.str();
}

TEST(CommandPage, NamesEveryOption) {
  const std::string page = CommandPage();
  for (const CommandSpec& command : Commands()) {
    for (const OptionSpec& option : command.options) {
      const std::string name = "`--" + std::string(option.name);
      const bool named = page.find(name) != std::string::npos ||
                         page.find(", " + name.substr(1)) != std::string::npos;
      EXPECT_TRUE(named || option.name == "help") << command.name << " --" << option.name;
    }
  }
}

/// Whether some command has it.
bool AnyOption(const std::function<bool(const OptionSpec&)>& wanted) {
  for (const CommandSpec& command : Commands())
    if (std::any_of(command.options.begin(), command.options.end(), wanted)) return true;
  return false;
}

// Rows of tables begin with what they are about: | `-i`, `--input PATH...` | or several options.
TEST(CommandPage, ShowsOptionsAsTheHelpDoes) {
  const std::regex option_words("(?:`-([a-z])`, )?`--([a-z-]+)(?: ([^`]+))?[^`]*`");
  std::istringstream page(CommandPage());
  int rows = 0;
  for (std::string line; std::getline(page, line);) {
    if (!line.starts_with("| `-")) continue;
    const std::string cell = line.substr(0, line.find(" | ", 2));
    for (std::sregex_iterator it(cell.begin(), cell.end(), option_words), end; it != end; ++it) {
      const std::string letter = (*it)[1], name = (*it)[2], value = (*it)[3];
      ++rows;
      EXPECT_TRUE(AnyOption([&](const OptionSpec& option) {
        return option.name == name && (letter.empty() || option.letter == letter[0]) &&
               (value.empty() || value.starts_with(option.value_name)) &&
               (!value.empty() || option.value_name.empty() || !option.choices.empty());
      })) << "no command has what docs/command.md shows: "
          << line;
    }
  }
  EXPECT_GT(rows, 60);
}

TEST(CommandPage, NamesEveryChoice) {
  const std::string page = CommandPage();
  for (const CommandSpec& command : Commands())
    for (const OptionSpec& option : command.options)
      for (const std::string_view choice : option.choices)
        EXPECT_TRUE(std::regex_search(page, std::regex("[`|=]" + std::string(choice) + "[`|\\\\]")))
            << command.name << " --" << option.name << " " << choice;
}

TEST(CommandPage, NamesEveryCommandAndJsonField) {
  const std::string page = CommandPage();
  for (const CommandSpec& command : Commands())
    EXPECT_NE(page.find("spillway " + std::string(command.name)), std::string::npos)
        << command.name;
  const std::string lines[] = {PlanJson(SamplePlan(), true),    ProgressJson(JobProgress()),
                               SummaryJson(SampleReport(), 0),  SubmittedJson("1", false),
                               JobListJson(wire::JobStates()),  JobStatusJson(wire::JobState()),
                               ClusterJson(SampleCluster(), "")};
  for (const std::string& line : lines) {
    const auto json = nlohmann::json::parse(line);
    for (const auto& [field, value] : json.items())
      EXPECT_NE(page.find("`" + field + "`"), std::string::npos) << field;
    if (!json.contains("workers")) continue;
    for (const auto& [field, value] : json["workers"][0].items())
      EXPECT_NE(page.find("`" + field + "`"), std::string::npos) << field;
  }
}

}  // namespace
}  // namespace spillway
