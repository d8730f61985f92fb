#include "runtime/cli/settings.h"

#include <algorithm>

#include "mapreduce/base/name_suggestion.h"
#include "runtime/cli/option_value.h"

namespace spillway {
namespace {

constexpr const char* kLocalConfigPath = "./spillway.toml";
constexpr const char* kSystemConfigPath = "/etc/spillway/config.toml";
constexpr const char* kUserConfigName = "/spillway/config.toml";

std::string Variable(const EnvironmentMap& environment, const std::string& name) {
  const auto found = environment.find(name);
  return found == environment.end() ? std::string() : found->second;
}

std::vector<std::string> SplitAtColons(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t colon = std::min(text.find(':'), text.size());
    if (colon > 0) parts.emplace_back(text.substr(0, colon));
    text.remove_prefix(std::min(colon + 1, text.size()));
  }
  return parts;
}

}  // namespace

void Settings::AddWeaker(const std::vector<SettingValue>& values) {
  for (const SettingValue& value : values)
    if (Find(value.option->name) == nullptr) values_.push_back(value);
}

const SettingValue* Settings::Find(std::string_view name) const {
  for (const SettingValue& value : values_)
    if (value.option->name == name) return &value;
  return nullptr;
}

std::uint64_t Settings::Number(std::string_view name, std::uint64_t fallback) const {
  const SettingValue* value = Find(name);
  return value == nullptr ? fallback : NumberOf(*value->option, value->values.back());
}

bool Settings::Truth(std::string_view name) const {
  const SettingValue* value = Find(name);
  return value != nullptr && TruthOf(value->values.back());
}

std::string Settings::Text(std::string_view name, std::string_view fallback) const {
  const SettingValue* value = Find(name);
  return value == nullptr ? std::string(fallback) : value->values.back();
}

std::vector<std::string> Settings::List(std::string_view name) const {
  const SettingValue* value = Find(name);
  return value == nullptr ? std::vector<std::string>{} : value->values;
}

std::vector<SettingValue> Settings::All() const {
  std::vector<SettingValue> all;
  for (const OptionSpec* setting : AllSettings())
    if (const SettingValue* value = Find(setting->name)) all.push_back(*value);
  return all;
}

std::vector<SettingValue> FlagSettings(const CommandLine& line) {
  std::vector<SettingValue> settings;
  for (const GivenOption& given : line.options)
    if (given.option->is_setting)
      settings.push_back({given.option, given.values, "--" + std::string(given.option->name)});
  return settings;
}

Result<std::vector<SettingValue>> EnvironmentSettings(const EnvironmentMap& environment) {
  std::vector<SettingValue> settings;
  for (const OptionSpec* option : AllSettings()) {
    const std::string name = EnvironmentName(*option);
    const std::string text = Variable(environment, name);
    std::vector<std::string> values;
    if (option->repeats) {
      values = SplitAtColons(text);
    } else if (!text.empty()) {
      values = {text};
    }
    if (values.empty()) continue;
    for (const std::string& value : values)
      SPILLWAY_RETURN_IF_ERROR(CheckOptionValue(*option, value, name));
    settings.push_back({option, std::move(values), name});
  }
  return settings;
}

std::vector<std::string> EnvironmentWarnings(const EnvironmentMap& environment) {
  std::vector<std::string> names;
  for (const OptionSpec* option : AllSettings()) names.push_back(EnvironmentName(*option));
  std::vector<std::string> warnings;
  for (const auto& [name, value] : environment) {
    if (!name.starts_with("SPILLWAY_") ||
        std::find(names.begin(), names.end(), name) != names.end())
      continue;
    // One or two slips; more, and it is a name of its own that merely shares the prefix.
    const std::string meant = NearestName(name, names);
    if (!meant.empty() && EditDistance(name, meant) <= 2)
      warnings.push_back(name + " is not a setting and has no effect. Did you mean " + meant + "?");
  }
  return warnings;
}

std::vector<std::string> ConfigFilePaths(const EnvironmentMap& environment) {
  std::vector<std::string> paths = {kLocalConfigPath};
  const std::string config_home = Variable(environment, "XDG_CONFIG_HOME");
  const std::string home = Variable(environment, "HOME");
  if (!config_home.empty()) {
    paths.push_back(config_home + kUserConfigName);
  } else if (!home.empty()) {
    paths.push_back(home + "/.config" + kUserConfigName);
  }
  paths.push_back(kSystemConfigPath);
  return paths;
}

Result<Settings> ResolveSettings(const CommandLine& line, const EnvironmentMap& environment,
                                 const std::vector<std::string>& config_paths) {
  Settings settings;
  settings.AddWeaker(FlagSettings(line));
  SPILLWAY_ASSIGN_OR_RETURN(const auto from_environment, EnvironmentSettings(environment));
  settings.AddWeaker(from_environment);
  for (const std::string& path : config_paths) {
    auto from_file = ReadConfigFile(path);
    if (from_file.status().code() == Code::kNotFound) continue;
    if (!from_file.ok()) return from_file.status();
    settings.AddWeaker(*from_file);
  }
  return settings;
}

}  // namespace spillway
