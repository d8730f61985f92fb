#include "runtime/cli/shell.h"

#include <ostream>
#include <string_view>

namespace spillway {

namespace {

/// The message without what would steer a terminal: names of files and jobs may hold anything.
std::string Shown(const std::string& message) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string shown;
  for (const char c : message) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte >= 0x20 && byte != 0x7f) || c == '\n' || c == '\t') {
      shown += c;
    } else {
      shown += {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return shown;
}

}  // namespace

TextStyle Shell::error_style(bool no_color) const {
  const auto is_set = [this](const char* name) {
    const auto found = environment.find(name);
    return found != environment.end() && !found->second.empty();
  };
  const auto term = environment.find("TERM");
  const bool dumb = term == environment.end() || term->second == "dumb";
  return {.color = err_is_terminal && !no_color && !is_set("NO_COLOR") && !dumb};
}

int ReportError(const Shell& shell, int exit_code, const std::string& message, TextStyle style) {
  shell.err << style.Error("spillway:") << " " << Shown(message) << "\n" << std::flush;
  return exit_code;
}

int ReportError(const Shell& shell, int exit_code, const std::string& message) {
  return ReportError(shell, exit_code, message, shell.error_style());
}

void ReportWarning(const Shell& shell, const std::string& message, TextStyle style) {
  shell.err << "spillway: " << style.Warning("warning:") << " " << Shown(message) << "\n"
            << std::flush;
}

}  // namespace spillway
