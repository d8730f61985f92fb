// Settings: the values that may come from a flag, the environment or a configuration file, and
// where each one came from. Precedence: flag, SPILLWAY_* environment, ./spillway.toml, the user's
// file, the system's file. A bad value is an error even where a stronger one hides it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "mapreduce/base/status.h"
#include "runtime/cli/command_line.h"
#include "runtime/cli/config_file.h"

namespace spillway {

using EnvironmentMap = std::map<std::string, std::string>;

class Settings {
 public:
  /// Adds values that are weaker than all that were added before.
  void AddWeaker(const std::vector<SettingValue>& values);

  /// The strongest value of a setting, or null when nobody named it.
  const SettingValue* Find(std::string_view name) const;

  std::uint64_t Number(std::string_view name, std::uint64_t fallback) const;
  bool Truth(std::string_view name) const;  ///< False when not named.
  std::string Text(std::string_view name, std::string_view fallback) const;
  std::vector<std::string> List(std::string_view name) const;

  /// What was named, in the order of the option table.
  std::vector<SettingValue> All() const;

 private:
  std::vector<SettingValue> values_;  // At most one per option.
};

/// The settings among a command line's options.
std::vector<SettingValue> FlagSettings(const CommandLine& line);

/// The SPILLWAY_* variables. Lists are separated by colons, as in PATH; an empty variable counts as
/// not set. InvalidArgument names the variable.
Result<std::vector<SettingValue>> EnvironmentSettings(const EnvironmentMap& environment);

/// Variables that look like a mistyped setting, as sentences. Other SPILLWAY_ names are left alone:
/// the prefix may serve the user's own scripts.
std::vector<std::string> EnvironmentWarnings(const EnvironmentMap& environment);

/// ./spillway.toml, the user's file (XDG_CONFIG_HOME, or .config under HOME) and the system's file,
/// strongest first.
std::vector<std::string> ConfigFilePaths(const EnvironmentMap& environment);

/// All sources in order of precedence. InvalidArgument is a configuration error: flags were
/// checked when they were parsed.
Result<Settings> ResolveSettings(const CommandLine& line, const EnvironmentMap& environment,
                                 const std::vector<std::string>& config_paths);

}  // namespace spillway
