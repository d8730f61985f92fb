// The one table of commands and options. Parsing, help, the environment, configuration files,
// man pages and completions all read it, so that they cannot disagree. Constant data, built at
// compile time: it costs nothing at start.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace spillway {

enum class OptionKind {
  kSwitch,          ///< No value: given or not.
  kToggle,          ///< --name, --name=true or --name=false.
  kText,            ///< Any text that is not empty.
  kNamedPath,       ///< NAME=PATH.
  kCount,           ///< A whole number in [least, most].
  kBytes,           ///< A size in [least, most] bytes.
  kDuration,        ///< A time in [least, most] milliseconds.
  kChoice,          ///< One of `choices`.
  kOptionalChoice,  ///< --name (the first of `choices`) or --name=CHOICE.
  kEndpoint         ///< HOST:PORT with a port from `least` on, or one of `choices`.
};

struct OptionSpec {
  std::string_view name = {};  ///< Without dashes; also the key in a configuration file.
  char letter = 0;             ///< The short form, or 0.
  OptionKind kind = OptionKind::kSwitch;
  std::string_view group = {};       ///< Heading in the help.
  std::string_view value_name = {};  ///< "SIZE"; empty for a switch.
  std::string_view help = {};        ///< One sentence or two.
  std::uint64_t least = 0;
  std::uint64_t most = UINT64_MAX;
  std::span<const std::string_view> choices = {};
  bool repeats = false;         ///< May be given several times; every value counts.
  bool several_values = false;  ///< Takes all words up to the next option.
  bool is_setting = false;      ///< May also come from the environment or a configuration file.
};

struct CommandSpec {
  std::string_view name = {};         ///< "run" or "plugin inspect".
  std::string_view summary = {};      ///< One line for lists.
  std::string_view usage = {};        ///< Behind "spillway NAME ".
  std::string_view description = {};  ///< Paragraphs, separated by an empty line.
  std::span<const OptionSpec> options = {};
  std::string_view examples = {};  ///< Lines, ready to be copied.
  std::size_t operands_max = 0;
  bool passes_arguments = false;  ///< Takes the job's own arguments after "--".
};

/// All commands, in the order of the help.
std::span<const CommandSpec> Commands();

/// The command with exactly this name, or null.
const CommandSpec* FindCommand(std::string_view name);

/// The option of `command` with exactly this long name, or null.
const OptionSpec* FindOption(const CommandSpec& command, std::string_view name);

/// The settings of all commands: what the environment and configuration files may hold.
const OptionSpec* FindSetting(std::string_view key);
std::vector<const OptionSpec*> AllSettings();

/// "SPILLWAY_SPLIT_SIZE" for "split-size".
std::string EnvironmentName(const OptionSpec& option);

}  // namespace spillway
