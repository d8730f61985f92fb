#include "runtime/cli/executor_command.h"

#include <charconv>
#include <map>

#include "runtime/cli/exit_code.h"
#include "runtime/worker/executor.h"

namespace spillway {

namespace {

template <class Number>
bool ParseNumber(const std::string& text, Number* number) {
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, *number);
  return error == std::errc() && stop == end;
}

}  // namespace

int ExecutorCommand(const std::vector<std::string>& words, const Shell& shell) {
  std::map<std::string, std::string> values;
  for (const std::string& word : words) {
    const std::size_t equals = word.find('=');
    if (!word.starts_with("--") || equals == std::string::npos)
      return ReportError(shell, kExitUsage, "'spillway executor' is started by a worker only.");
    values[word.substr(2, equals - 2)] = word.substr(equals + 1);
  }
  ExecutorOptions options;
  options.endpoint = values["endpoint"];
  const bool understood = !options.endpoint.empty() && ParseNumber(values["job"], &options.job) &&
                          ParseNumber(values["board-fd"], &options.board_fd) &&
                          ParseNumber(values["parent"], &options.parent);
  if (!understood)
    return ReportError(shell, kExitUsage, "'spillway executor' is started by a worker only.");
  RunExecutor(options);
}

}  // namespace spillway
