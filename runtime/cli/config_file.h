// Reads one configuration file (TOML). Its keys are the long names of the options that are
// settings: `memory = "2G"`, `spill-dir = ["/disk1", "/disk2"]`, `in-memory = true`.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "mapreduce/base/status.h"
#include "runtime/cli/option_table.h"

namespace spillway {

/// A setting's value and where it was found.
struct SettingValue {
  const OptionSpec* option = nullptr;
  std::vector<std::string> values;  ///< Checked. Never empty.
  std::string origin;               ///< "--memory", "SPILLWAY_MEMORY", "./spillway.toml:3".
};

/// Parses a file's content; `path` is for messages. InvalidArgument names file and line of the
/// first syntax error, unknown key (with the likely one) or bad value.
Result<std::vector<SettingValue>> ParseConfigFile(std::string_view content,
                                                  const std::string& path);

/// Reads and parses. NotFound when there is no such file; InvalidArgument for everything else.
Result<std::vector<SettingValue>> ReadConfigFile(const std::string& path);

}  // namespace spillway
