// docs/command.md is written by hand; this keeps it from falling behind the code.

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
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
