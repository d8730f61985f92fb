#include "runtime/cli/shell.h"

#include <ostream>

namespace spillway {

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
  shell.err << style.Error("spillway:") << " " << message << "\n" << std::flush;
  return exit_code;
}

int ReportError(const Shell& shell, int exit_code, const std::string& message) {
  return ReportError(shell, exit_code, message, shell.error_style());
}

void ReportWarning(const Shell& shell, const std::string& message, TextStyle style) {
  shell.err << "spillway: " << style.Warning("warning:") << " " << message << "\n" << std::flush;
}

}  // namespace spillway
