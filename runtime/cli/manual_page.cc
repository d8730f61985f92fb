#include "runtime/cli/manual_page.h"

#include <string_view>

#include "mapreduce/version.h"

namespace spillway {
namespace {

/// Text as roff takes it: a line that begins with a dot or a quote would be a request.
std::string Roff(std::string_view text) {
  std::string out;
  bool line_begins = true;
  for (const char c : text) {
    if (line_begins && (c == '.' || c == '\'')) out += "\\&";
    line_begins = c == '\n';
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";  // A hyphen that can be copied to a command line.
    } else if (c == '\'') {
      out += "\\(aq";
    } else {
      out += c;
    }
  }
  return out;
}

std::string Header(const std::string& name, std::string_view summary) {
  return ".TH " + name + " 1 \"\" \"Spillway " SPILLWAY_VERSION "\" \"Spillway\"\n.SH NAME\n" +
         Roff(name) + " \\- " + Roff(summary) + "\n";
}

std::string Paragraphs(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find("\n\n"), text.size());
    out += Roff(text.substr(0, end)) + "\n";
    text.remove_prefix(std::min(end + 2, text.size()));
    if (!text.empty()) out += ".PP\n";
  }
  return out;
}

std::string OptionEntry(const OptionSpec& option) {
  std::string label;
  if (option.letter != 0) label = std::string("\\fB\\-") + option.letter + "\\fR, ";
  label += "\\fB" + Roff("--" + std::string(option.name)) + "\\fR";
  const std::string value = "\\fI" + Roff(option.value_name) + "\\fR";
  if (option.kind == OptionKind::kOptionalChoice) {
    label += "[=" + value + "]";
  } else if (!option.value_name.empty()) {
    label += " " + value;
  }
  return ".TP\n" + label + "\n" + Roff(option.help) + "\n";
}

}  // namespace

std::string ManualName(const CommandSpec& command) {
  std::string name = "spillway-" + std::string(command.name);
  for (char& c : name)
    if (c == ' ') c = '-';
  return name;
}

std::string CommandManual(const CommandSpec& command) {
  std::string page = Header(ManualName(command), command.summary) + ".SH SYNOPSIS\n.B " +
                     Roff("spillway " + std::string(command.name)) + "\n" + Roff(command.usage) +
                     "\n.SH DESCRIPTION\n" + Paragraphs(command.description);
  page += ".SH OPTIONS\n";
  std::string_view group;
  for (const OptionSpec& option : command.options) {
    if (option.group != group) page += ".SS \"" + Roff(option.group) + "\"\n";
    group = option.group;
    page += OptionEntry(option);
  }
  return page + ".SH EXAMPLES\n.nf\n" + Roff(command.examples) + "\n.fi\n.SH SEE ALSO\n.BR " +
         "spillway (1)\n";
}

std::string OverviewManual() {
  std::string page = Header("spillway", "MapReduce with a shuffle that spills to disk") +
                     ".SH SYNOPSIS\n.B spillway\n\\fICOMMAND\\fR [options]\n.SH DESCRIPTION\n"
                     "Runs MapReduce jobs on one machine or on a cluster; what does not fit in "
                     "memory is spilled to disk.\n.SH COMMANDS\n";
  for (const CommandSpec& command : Commands())
    page += ".TP\n.BR " + Roff(ManualName(command)) + " (1)\n" + Roff(command.summary) + "\n";
  page += ".SH ENVIRONMENT\n";
  for (const OptionSpec* option : AllSettings())
    page += ".TP\n.B " + EnvironmentName(*option) + "\nThe setting " +
            Roff("--" + std::string(option->name)) + ", where the option is not given.\n";
  return page +
         ".SH FILES\n.TP\n.I ./spillway.toml\n.TQ\n.I ~/.config/spillway/config.toml\n"
         ".TQ\n.I /etc/spillway/config.toml\n"
         "Settings, the strongest file first; the environment and options are stronger.\n"
         ".SH SEE ALSO\nThe pages in share/doc/spillway of the installation: quickstart.md, "
         "tutorials, how-to, plugins.md, streaming.md.\n";
}

}  // namespace spillway
