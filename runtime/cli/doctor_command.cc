#include "runtime/cli/doctor_command.h"

#include <algorithm>
#include <boost/filesystem.hpp>
#include <nlohmann/json.hpp>
#include <ostream>
#include <string>
#include <vector>

#include "mapreduce/abi.h"
#include "mapreduce/base/units.h"
#include "mapreduce/version.h"
#include "runtime/cli/doctor_findings.h"
#include "runtime/cli/exit_code.h"
#include "runtime/cli/plan_text.h"

namespace spillway {
namespace {

constexpr std::size_t kSubjectColumns = 18;

const char* Word(Health health) {
  switch (health) {
    case Health::kGood: return "ok";
    case Health::kWarning: return "warning";
    case Health::kBad: return "bad";
  }
  return "";
}

std::string FindingsText(const std::vector<Finding>& findings) {
  std::string text =
      "spillway " SPILLWAY_VERSION ", plugin ABI " + std::to_string(SPILLWAY_ABI_VERSION) + "\n";
  for (const Finding& finding : findings) {
    std::string line = std::string("  ") + Word(finding.health);
    line.resize(11, ' ');
    line += finding.subject;
    line.resize(11 + kSubjectColumns, ' ');
    text += line + finding.text + "\n";
  }
  return text;
}

/// The files that are looked at, the strongest first, and what they and the others set.
std::string ConfigurationText(const Shell& shell, const Settings& settings) {
  std::string text = "Configuration files, the strongest first:\n";
  for (const std::string& path : shell.config_paths) {
    boost::system::error_code error;
    const bool there = boost::filesystem::exists(path, error);
    text += "  " + EscapeForLog(path, 400) + (there ? "\n" : " (not there)\n");
  }
  return text + OriginsText(settings);
}

std::string DoctorJson(const std::vector<Finding>& findings, const Settings& settings) {
  nlohmann::ordered_json json;
  json["version"] = SPILLWAY_VERSION;
  json["abi_version"] = SPILLWAY_ABI_VERSION;
  json["findings"] = nlohmann::ordered_json::array();
  for (const Finding& finding : findings)
    json["findings"].push_back(
        {{"subject", finding.subject}, {"health", Word(finding.health)}, {"text", finding.text}});
  json["settings"] = nlohmann::ordered_json::array();
  for (const SettingValue& setting : settings.All())
    json["settings"].push_back({{"setting", setting.option->name},
                                {"values", setting.values},
                                {"origin", setting.origin}});
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace

int DoctorCommand(const CommandLine& line, const Shell& shell) {
  const auto settings = ResolveSettings(line, shell.environment, shell.config_paths);
  if (!settings.ok()) return ReportError(shell, kExitConfiguration, settings.status().message());
  for (const std::string& warning : EnvironmentWarnings(shell.environment))
    ReportWarning(shell, warning, shell.error_style(settings->Truth("no-color")));
  const bool only_configuration = line.Has("config");
  const std::vector<Finding> findings =
      only_configuration ? std::vector<Finding>() : ExamineMachine(shell, *settings);
  if (line.Has("json")) {
    shell.out << DoctorJson(findings, *settings);
  } else {
    if (!only_configuration) shell.out << FindingsText(findings) << "\n";
    shell.out << ConfigurationText(shell, *settings);
  }
  const bool bad = std::any_of(findings.begin(), findings.end(), [](const Finding& finding) {
    return finding.health == Health::kBad;
  });
  return bad ? kExitJobFailed : kExitDone;
}

}  // namespace spillway
