#include "runtime/cli/completion_script.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include "runtime/cli/option_table.h"

namespace spillway {
namespace {

std::string Text(std::string_view view) { return std::string(view); }

/// Within single quotes of any of the shells.
std::string Quoted(std::string_view text, std::string_view quote) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? Text(quote) : std::string(1, c);
  return out + "'";
}
std::string BashQuoted(std::string_view text) { return Quoted(text, "'\\''"); }
std::string FishQuoted(std::string_view text) { return Quoted(text, "\\'"); }

std::string Joined(const std::vector<std::string>& words) {
  std::string all;
  for (const std::string& word : words) all += (all.empty() ? "" : " ") + word;
  return all;
}

std::vector<std::string> ChoicesOf(const OptionSpec& option) {
  return {option.choices.begin(), option.choices.end()};
}

bool TakesValue(const OptionSpec& option) {
  return option.kind != OptionKind::kSwitch && option.kind != OptionKind::kToggle &&
         option.kind != OptionKind::kOptionalChoice;
}

bool TakesPath(const OptionSpec& option) {
  return option.kind == OptionKind::kText || option.kind == OptionKind::kNamedPath;
}

/// First words, or the words behind `group`; each once, with the summary of its command.
struct Word {
  std::string word, summary;
};
std::vector<Word> WordsBehind(std::string_view group) {
  std::vector<Word> words;
  for (const CommandSpec& command : Commands()) {
    std::string_view name = command.name;
    if (!name.starts_with(group)) continue;
    name.remove_prefix(group.size());
    const bool is_group = name.find(' ') != std::string_view::npos;
    const std::string word(name.substr(0, name.find(' ')));
    const bool known = std::any_of(words.begin(), words.end(),
                                   [&](const Word& other) { return other.word == word; });
    if (!known) words.push_back({word, is_group ? "see its help" : Text(command.summary)});
  }
  return words;
}

/// The first words that need a second one: jobs, keys and so on.
std::vector<std::string> Groups() {
  std::vector<std::string> groups;
  for (const CommandSpec& command : Commands()) {
    const std::size_t space = command.name.find(' ');
    if (space == std::string_view::npos) continue;
    const std::string group(command.name.substr(0, space));
    if (std::find(groups.begin(), groups.end(), group) == groups.end()) groups.push_back(group);
  }
  return groups;
}

/// Of a command whose first operand is a job: the number of the job's word, the program's being 0.
/// 0 for others.
std::size_t JobWord(const CommandSpec& command) {
  if (!command.usage.starts_with("JOB ") && !command.usage.starts_with("PATH|NAME ")) return 0;
  return 2 + static_cast<std::size_t>(std::count(command.name.begin(), command.name.end(), ' '));
}

std::string WordList(std::string_view group) {
  std::vector<std::string> words;
  for (const Word& word : WordsBehind(group)) words.push_back(word.word);
  return Joined(words);
}

/// What follows an option of this command, as branches of a case on "$prev".
std::string BashValues(const CommandSpec& command) {
  std::string branches;
  for (const OptionSpec& option : command.options) {
    if (!TakesValue(option)) continue;
    std::string pattern = "--" + Text(option.name);
    if (option.letter != 0) pattern += std::string("|-") + option.letter;
    if (!option.choices.empty()) {
      branches +=
          "        " + pattern + ") words=" + BashQuoted(Joined(ChoicesOf(option))) + " ;;\n";
    } else if (TakesPath(option)) {
      branches += "        " + pattern + ") return ;;\n";  // Files, by readline itself.
    } else {
      branches += "        " + pattern + ") compopt +o default; return ;;\n";
    }
  }
  return branches;
}

std::string BashOptions(const CommandSpec& command) {
  std::vector<std::string> names;
  for (const OptionSpec& option : command.options) {
    names.push_back("--" + Text(option.name));
    if (option.kind == OptionKind::kOptionalChoice)
      for (const std::string& choice : ChoicesOf(option))
        names.push_back("--" + Text(option.name) + "=" + choice);
  }
  return Joined(names);
}

/// A specification of zsh's _arguments: '(-i --input)'{-i,--input}'[help]:PATH:_files'.
std::string ZshArgument(const OptionSpec& option) {
  std::string help;
  for (const char c : option.help)
    help += c == '[' || c == ']' || c == ':' ? "\\" + std::string(1, c) : std::string(1, c);
  const std::string name = "--" + Text(option.name);
  std::string rest = "[" + help + "]";
  if (option.kind == OptionKind::kOptionalChoice) {
    rest = "=-" + rest + "::" + Text(option.value_name) + ":(" + Joined(ChoicesOf(option)) + ")";
  } else if (TakesValue(option)) {
    rest += ":" + Text(option.value_name) + ":";
    if (!option.choices.empty()) {
      rest += "(" + Joined(ChoicesOf(option)) + ")";
    } else if (TakesPath(option)) {
      rest += "_files";
    }
  }
  const std::string star = option.repeats ? "*" : "";
  if (option.letter == 0) return BashQuoted(star + name + rest);
  const std::string letter = std::string("-") + option.letter;
  const std::string first = star.empty() ? "(" + letter + " " + name + ")" : star;
  return BashQuoted(first) + "{" + letter + "," + name + "}" + BashQuoted(rest);
}

std::string ZshDescriptions(std::string_view group) {
  std::string lines;
  for (const Word& word : WordsBehind(group))
    lines += "      " + BashQuoted(word.word + ":" + word.summary) + "\n";
  return lines;
}

/// fish's condition that the command's words were typed.
std::string FishSeen(const CommandSpec& command, const std::string& more = "") {
  std::string condition;
  std::string_view rest = command.name;
  while (!rest.empty()) {
    const std::string word(rest.substr(0, rest.find(' ')));
    condition += (condition.empty() ? "" : "; and ") + ("__fish_seen_subcommand_from " + word);
    rest.remove_prefix(std::min(word.size() + 1, rest.size()));
  }
  return BashQuoted(condition + more);
}

std::string FishOption(const CommandSpec& command, const OptionSpec& option) {
  std::string line = "complete -c spillway -n " + FishSeen(command) + " -l " + Text(option.name);
  if (option.letter != 0) line += std::string(" -s ") + option.letter;
  if (TakesValue(option)) line += TakesPath(option) ? " -r -F" : " -x";
  if (!option.choices.empty()) line += " -a " + FishQuoted(Joined(ChoicesOf(option)));
  return line + " -d " + FishQuoted(option.help) + "\n";
}

}  // namespace

std::string BashCompletion() {
  std::string script =
      "# bash completion of spillway, made from its option table.\n"
      "_spillway_jobs() {\n"  // Other files, by readline itself, where none of these fits.
      "  local IFS=$'\\n'\n"
      "  COMPREPLY=($(compgen -W \"$(\"${COMP_WORDS[0]}\" completion jobs 2>/dev/null)\" -- "
      "\"$cur\")\n"
      "             $(compgen -f -X '!*.so' -- \"$cur\"))\n"
      "}\n"
      "_spillway() {\n"
      "  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
      "  local command=${COMP_WORDS[1]} words=\n"
      "  if [[ $COMP_CWORD -eq 1 ]]; then\n"
      "    COMPREPLY=($(compgen -W " +
      BashQuoted(WordList("")) +
      " -- \"$cur\"))\n"
      "    return\n"
      "  fi\n"
      "  case $command in\n";
  for (const std::string& group : Groups())
    script += "    " + group +
              ")\n      if [[ $COMP_CWORD -eq 2 ]]; then\n"
              "        COMPREPLY=($(compgen -W " +
              BashQuoted(WordList(group + " ")) +
              " -- \"$cur\"))\n        return\n      fi\n"
              "      command+=\" ${COMP_WORDS[2]}\" ;;\n";
  script += "  esac\n  case $command in\n";
  for (const CommandSpec& command : Commands()) {
    const std::string values = BashValues(command);
    script += "    " + BashQuoted(command.name) + ")\n";
    if (!values.empty()) script += "      case $prev in\n" + values + "      esac\n";
    if (const std::size_t word = JobWord(command); word > 0)
      script += "      if [[ -z $words && $cur != -* && $COMP_CWORD -eq " + std::to_string(word) +
                " ]]; then\n        _spillway_jobs\n        return\n      fi\n";
    script += "      [[ -z $words && $cur == -* ]] && words=" + BashQuoted(BashOptions(command)) +
              " ;;\n";
  }
  return script +
         "  esac\n"
         "  [[ -n $words ]] && COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
         "}\n"
         "complete -o default -F _spillway spillway\n";
}

std::string ZshCompletion() {
  std::string script =
      "#compdef spillway\n"
      "# zsh completion of spillway, made from its option table.\n"
      "_spillway_jobs() {\n"
      "  local -a names\n"
      "  names=(${(f)\"$(_call_program jobs ${(q)words[1]} completion jobs 2>/dev/null)\"})\n"
      "  _alternative 'jobs:job:compadd -a names' 'files:plugin or project:_files -g \"*.so\"'\n"
      "}\n"
      "_spillway() {\n"
      "  local command=$words[2]\n"
      "  local -a names\n"
      "  if (( CURRENT == 2 )); then\n"
      "    names=(\n" +
      ZshDescriptions("") +
      "    )\n"
      "    _describe command names\n"
      "    return\n"
      "  fi\n"
      "  case $command in\n";
  for (const std::string& group : Groups())
    script += "    " + group + ")\n      if (( CURRENT == 3 )); then\n    names=(\n" +
              ZshDescriptions(group + " ") +
              "    )\n        _describe command names\n        return\n      fi\n"
              "      command+=\" $words[3]\" ;;\n";
  script += "  esac\n  case $command in\n";
  for (const CommandSpec& command : Commands()) {
    script += "    " + BashQuoted(command.name) + ")\n      _arguments";
    for (const OptionSpec& option : command.options)
      script += " \\\n        " + ZshArgument(option);
    if (const std::size_t word = JobWord(command); word > 0)
      script += " \\\n        '" + std::to_string(word) + ":job:_spillway_jobs'";
    script += " \\\n        '*:file:_files' ;;\n";
  }
  return script +
         "  esac\n}\n"
         "if [[ $funcstack[1] == _spillway ]]; then _spillway \"$@\"; "
         "else compdef _spillway spillway; fi\n";
}

std::string FishCompletion() {
  std::string script = "# fish completion of spillway, made from its option table.\n";
  for (const Word& word : WordsBehind(""))
    script += "complete -c spillway -f -n __fish_use_subcommand -a " + word.word + " -d " +
              FishQuoted(word.summary) + "\n";
  for (const std::string& group : Groups())
    for (const Word& word : WordsBehind(group + " "))
      script += "complete -c spillway -f -n '__fish_seen_subcommand_from " + group +
                "; and not __fish_seen_subcommand_from " + WordList(group + " ") + "' -a " +
                word.word + " -d " + FishQuoted(word.summary) + "\n";
  for (const CommandSpec& command : Commands()) {
    if (const std::size_t word = JobWord(command); word > 0)
      script +=
          "complete -c spillway -n " +
          FishSeen(command, "; and test (count (commandline -opc)) -eq " + std::to_string(word)) +
          " -a '(spillway completion jobs 2>/dev/null)' -d 'built-in job'\n";
    for (const OptionSpec& option : command.options) script += FishOption(command, option);
  }
  return script;
}

}  // namespace spillway
