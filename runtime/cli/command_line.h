// A command line, taken apart by the option table. Boost.Program_options does the tokenising, with
// guessing off: an abbreviation that works today would change its meaning with the next option.
// Values are checked here; what they mean together is the command's to say. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "mapreduce/base/status.h"
#include "runtime/cli/option_table.h"

namespace spillway {

struct GivenOption {
  const OptionSpec* option = nullptr;
  std::vector<std::string> values;  ///< Checked; "true" for a switch. Never empty.
};

struct CommandLine {
  const CommandSpec* command = nullptr;
  std::vector<GivenOption> options;        ///< Each option at most once, its values in order.
  std::vector<std::string> operands;       ///< Words that belong to no option.
  std::vector<std::string> job_arguments;  ///< What stands behind "--".

  /// The option as it was given, or null.
  const GivenOption* Find(std::string_view name) const;
  bool Has(std::string_view name) const { return Find(name) != nullptr; }

  /// The single value of an option, or `fallback` when it was not given.
  std::string Value(std::string_view name, std::string_view fallback = "") const;
  std::vector<std::string> Values(std::string_view name) const;
};

/// Parses the words behind the command's name. InvalidArgument, naming the option and the likely
/// intention, for unknown options, missing, doubled or bad values and operands too many.
Result<CommandLine> ParseCommandLine(const CommandSpec& command,
                                     const std::vector<std::string>& words);

/// True when --help or -h stands before any "--". Asked first: whoever wants help gets it, however
/// wrong the rest of the line is.
bool AsksForHelp(const std::vector<std::string>& words);

}  // namespace spillway
