#include "runtime/cli/command_line.h"

#include <algorithm>
#include <boost/program_options.hpp>
#include <deque>
#include <iterator>
#include <map>

#include "mapreduce/base/check.h"
#include "mapreduce/base/name_suggestion.h"
#include "mapreduce/base/units.h"
#include "runtime/cli/option_value.h"

namespace spillway {
namespace {

namespace po = boost::program_options;

constexpr const char* kOperand = "operand";  // No option has this name; see MakeDescription.

bool HasOptionalValue(const OptionSpec& option) {
  return option.kind == OptionKind::kToggle || option.kind == OptionKind::kOptionalChoice;
}

bool TakesNextWord(const OptionSpec& option) {
  return option.kind != OptionKind::kSwitch && !HasOptionalValue(option);
}

/// The values of options whose value is optional, by name, in the order of the line.
using OptionalValues = std::map<std::string_view, std::deque<std::string>>;

/// Boost lets an option with an implicit value swallow the next word ("--json JOB"). So the value
/// of such an option is cut off its word before Boost sees it, and the option is a switch to Boost.
std::vector<std::string> CutOptionalValues(const CommandSpec& command,
                                           std::vector<std::string> words, OptionalValues* values) {
  for (std::string& word : words) {
    if (!word.starts_with("--")) continue;
    const std::size_t equals = std::min(word.find('='), word.size());
    const OptionSpec* option = FindOption(command, word.substr(2, equals - 2));
    if (option == nullptr || !HasOptionalValue(*option)) continue;
    const bool is_choice = option->kind == OptionKind::kOptionalChoice;
    const std::string implied = is_choice ? std::string(option->choices.front()) : "true";
    (*values)[option->name].push_back(equals < word.size() ? word.substr(equals + 1) : implied);
    word.resize(equals);
  }
  return words;
}

/// "-reducers 3" would be read as -r with the value "educers".
Status CheckDashes(const CommandSpec& command, const std::vector<std::string>& words) {
  for (const std::string& word : words) {
    if (word.size() <= 2 || word[0] != '-' || word[1] == '-') continue;
    const std::string name = word.substr(1, std::min(word.find('='), word.size()) - 1);
    if (FindOption(command, name) != nullptr)
      return InvalidArgument("-" + name + " needs two dashes: --" + name + ".");
  }
  return OkStatus();
}

po::options_description MakeDescription(const CommandSpec& command) {
  po::options_description description;
  for (const OptionSpec& option : command.options) {
    std::string name(option.name);
    if (option.letter != 0) name += std::string(",") + option.letter;
    if (!TakesNextWord(option)) {
      description.add_options()(name.c_str(), "");
    } else if (option.several_values) {
      description.add_options()(name.c_str(), po::value<std::vector<std::string>>()->multitoken());
    } else {
      description.add_options()(name.c_str(), po::value<std::string>());
    }
  }
  description.add_options()(kOperand, po::value<std::vector<std::string>>());
  return description;
}

std::string Dashed(const OptionSpec& option) { return "--" + std::string(option.name); }

std::vector<std::string> LongNames(const CommandSpec& command) {
  std::vector<std::string> names;
  for (const OptionSpec& option : command.options) names.push_back(Dashed(option));
  return names;
}

Status UnknownOption(const CommandSpec& command, std::string word) {
  word.resize(std::min(word.find('='), word.size()));
  // "-reducers" is one dash short: look for what was meant, not for what was typed.
  const std::string meant = word.size() > 2 && word[1] != '-' ? "-" + word : word;
  return InvalidArgument("unknown option " + EscapeForLog(word) + "." +
                         DidYouMean(meant, LongNames(command)));
}

Status SyntaxError(const CommandSpec& command, const po::invalid_command_line_syntax& error) {
  using Kind = po::invalid_syntax;
  const std::string name = error.get_option_name();
  switch (error.kind()) {
    case Kind::missing_parameter:
    case Kind::empty_adjacent_parameter: {
      const OptionSpec* option =
          FindOption(command, name.starts_with("--") ? name.substr(2) : name);
      const std::string form = option == nullptr ? "" : " " + std::string(option->value_name);
      return InvalidArgument(name + " needs a value, as in '" + name + form + "'.");
    }
    case Kind::extra_parameter: return InvalidArgument(name + " takes no value. Give it alone.");
    default: return InvalidArgument(std::string(error.what()) + ".");
  }
}

/// The tokens as Boost sees them, or what is wrong with them. Exceptions end here.
Result<std::vector<po::option>> Tokenise(const CommandSpec& command,
                                         const std::vector<std::string>& words) {
  const po::options_description description = MakeDescription(command);
  po::positional_options_description operands;
  operands.add(kOperand, -1);
  // A lone operand option would let "--operand" pass; no command has an option of that name.
  for (const std::string& word : words)
    if (word == "--operand" || word.starts_with("--operand=")) return UnknownOption(command, word);
  try {
    return po::command_line_parser(words)
        .options(description)
        .positional(operands)
        .style(po::command_line_style::default_style & ~po::command_line_style::allow_guessing)
        .run()
        .options;
  } catch (const po::unknown_option& error) {
    return UnknownOption(command, error.get_option_name());
  } catch (const po::invalid_command_line_syntax& error) {
    return SyntaxError(command, error);
  } catch (const std::exception& error) {
    return InvalidArgument(std::string(error.what()) + ".");
  }
}

/// Adds one occurrence of an option.
Status AddOption(const OptionSpec& option, const std::vector<std::string>& values,
                 CommandLine* line) {
  for (const std::string& value : values)
    SPILLWAY_RETURN_IF_ERROR(CheckOptionValue(option, value, Dashed(option)));
  auto given = std::find_if(line->options.begin(), line->options.end(),
                            [&](const GivenOption& other) { return other.option == &option; });
  if (given == line->options.end()) {
    line->options.push_back({&option, {}});
    given = std::prev(line->options.end());
  } else if (option.kind == OptionKind::kSwitch) {
    return OkStatus();  // Saying it twice changes nothing.
  } else if (!option.repeats) {
    return InvalidArgument(Dashed(option) + " is given twice, as '" +
                           EscapeForLog(given->values.back()) + "' and '" +
                           EscapeForLog(values.back()) + "'. Keep one.");
  }
  given->values.insert(given->values.end(), values.begin(), values.end());
  return OkStatus();
}

Status AddToken(const CommandSpec& command, const po::option& token,
                OptionalValues* optional_values, CommandLine* line) {
  if (token.string_key == kOperand) {
    line->operands.insert(line->operands.end(), token.value.begin(), token.value.end());
    return OkStatus();
  }
  const OptionSpec* option = FindOption(command, token.string_key);
  if (option == nullptr) return InternalError("no option " + token.string_key);
  if (TakesNextWord(*option)) return AddOption(*option, token.value, line);
  if (!HasOptionalValue(*option)) return AddOption(*option, {"true"}, line);
  std::deque<std::string>& values = (*optional_values)[option->name];
  SPILLWAY_CHECK(!values.empty());
  const std::string value = std::move(values.front());
  values.pop_front();
  return AddOption(*option, {value}, line);
}

Status CheckOperands(const CommandLine& line) {
  const std::size_t most = line.command->operands_max;
  if (line.operands.size() <= most) return OkStatus();
  const std::string extra = "'" + EscapeForLog(line.operands[most]) + "'";
  if (line.command->passes_arguments)
    return InvalidArgument("unexpected " + extra +
                           ". One JOB is run at a time; inputs follow -i, and the job's own "
                           "arguments follow --.");
  return InvalidArgument("unexpected " + extra + ".");
}

}  // namespace

const GivenOption* CommandLine::Find(std::string_view name) const {
  for (const GivenOption& given : options)
    if (given.option->name == name) return &given;
  return nullptr;
}

std::string CommandLine::Value(std::string_view name, std::string_view fallback) const {
  const GivenOption* given = Find(name);
  return given == nullptr ? std::string(fallback) : given->values.back();
}

std::vector<std::string> CommandLine::Values(std::string_view name) const {
  const GivenOption* given = Find(name);
  return given == nullptr ? std::vector<std::string>{} : given->values;
}

Result<CommandLine> ParseCommandLine(const CommandSpec& command,
                                     const std::vector<std::string>& words) {
  CommandLine line;
  line.command = &command;
  const auto separator = std::find(words.begin(), words.end(), "--");
  if (separator != words.end()) {
    if (!command.passes_arguments)
      return InvalidArgument("'--' has no meaning here: this command takes no job arguments.");
    line.job_arguments.assign(std::next(separator), words.end());
  }
  OptionalValues optional_values;
  const std::vector<std::string> own_words =
      CutOptionalValues(command, {words.begin(), separator}, &optional_values);
  SPILLWAY_RETURN_IF_ERROR(CheckDashes(command, own_words));
  SPILLWAY_ASSIGN_OR_RETURN(const auto tokens, Tokenise(command, own_words));
  for (const po::option& token : tokens)
    SPILLWAY_RETURN_IF_ERROR(AddToken(command, token, &optional_values, &line));
  SPILLWAY_RETURN_IF_ERROR(CheckOperands(line));
  return line;
}

bool AsksForHelp(const std::vector<std::string>& words) {
  for (const std::string& word : words) {
    if (word == "--") return false;
    if (word == "--help" || word == "-h") return true;
  }
  return false;
}

}  // namespace spillway
