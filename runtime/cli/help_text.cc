#include "runtime/cli/help_text.h"

#include <algorithm>
#include <sstream>
#include <vector>

namespace spillway {
namespace {

constexpr std::size_t kCommandColumn = 27;  // Where a command's summary begins in the list.
constexpr std::size_t kOptionColumn = 26;   // Where the sentence about an option begins.

std::string OptionLabel(const OptionSpec& option) {
  std::string label = option.letter != 0 ? std::string("-") + option.letter + ", " : "    ";
  label += "--" + std::string(option.name);
  if (option.kind == OptionKind::kOptionalChoice) {
    label += "[=" + std::string(option.value_name) + "]";
  } else if (!option.value_name.empty()) {
    label += " " + std::string(option.value_name);
  }
  return label;
}

std::string OptionHelp(const OptionSpec& option) {
  std::string line = "  " + OptionLabel(option);
  // A long label gets a line of its own.
  if (line.size() + 2 > kOptionColumn) {
    line += "\n" + std::string(kOptionColumn, ' ');
  } else {
    line.resize(kOptionColumn, ' ');
  }
  return line + WrapText(std::string(option.help), kOptionColumn, kHelpColumns);
}

std::string OptionGroups(const CommandSpec& command) {
  // Groups in the order in which they begin; the table may come back to one.
  std::vector<std::string_view> groups;
  for (const OptionSpec& option : command.options)
    if (std::find(groups.begin(), groups.end(), option.group) == groups.end())
      groups.push_back(option.group);
  std::string text;
  for (const std::string_view group : groups) {
    text += "\n" + std::string(group) + ":\n";
    for (const OptionSpec& option : command.options)
      if (option.group == group) text += OptionHelp(option);
  }
  return text;
}

std::string Paragraphs(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find("\n\n"), text.size());
    out += "\n" + WrapText(std::string(text.substr(0, end)), 0, kHelpColumns);
    text.remove_prefix(std::min(end + 2, text.size()));
  }
  return out;
}

std::string Indented(std::string_view lines) {
  std::istringstream in{std::string(lines)};
  std::string out, line;
  while (std::getline(in, line)) out += "  " + line + "\n";
  return out;
}

bool HasSettings(const CommandSpec& command) {
  // The display switch --no-color alone is not worth a paragraph.
  return std::count_if(command.options.begin(), command.options.end(),
                       [](const OptionSpec& option) { return option.is_setting; }) > 1;
}

}  // namespace

std::string WrapText(const std::string& text, std::size_t indent, std::size_t columns) {
  std::istringstream words(text);
  std::string out, line, word;
  while (words >> word) {
    if (!line.empty() && indent + line.size() + 1 + word.size() > columns) {
      out += line + "\n" + std::string(indent, ' ');
      line.clear();
    }
    line += (line.empty() ? "" : " ") + word;
  }
  return out + line + "\n";
}

std::string OverviewHelp() {
  std::string text =
      "Usage: spillway COMMAND [options]\n"
      "\nSpillway runs MapReduce jobs; what does not fit in memory is spilled to disk.\n"
      "\nCommands:\n";
  for (const CommandSpec& command : Commands()) {
    std::string line = "  " + std::string(command.name);
    line.resize(kCommandColumn, ' ');
    text += line + std::string(command.summary) + "\n";
  }
  return text +
         "\n'spillway COMMAND --help' shows a command's options, 'spillway run' the built-in\n"
         "jobs.\n";
}

std::string CommandHelp(const CommandSpec& command) {
  std::string text = "Usage: spillway " + std::string(command.name) + " " +
                     std::string(command.usage) + "\n" + Paragraphs(command.description) +
                     OptionGroups(command);
  if (HasSettings(command))
    text += "\n" + WrapText(
                       "Sizes take K, M, G or T (powers of 1024). Settings also come from the "
                       "environment (SPILLWAY_MEMORY for --memory) and from ./spillway.toml, "
                       "~/.config/spillway/config.toml and /etc/spillway/config.toml; a flag "
                       "wins over all of them.",
                       0, kHelpColumns);
  return text + "\nExamples:\n" + Indented(command.examples);
}

}  // namespace spillway
