#include "bench/limits/command_line.h"

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "mapreduce/base/units.h"

namespace spillway::limits {
namespace {

constexpr unsigned kThreadsMax = 256;

unsigned ParseThreads(std::string_view text, const char* usage) {
  unsigned threads = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), threads);
  errno = 0;
  if (error != std::errc() || end != text.data() + text.size() || threads == 0 ||
      threads > kThreadsMax)
    Fail(kExitUsage, std::string("--threads takes a number from 1 to 256; ") + usage);
  return threads;
}

}  // namespace

void Fail(int exit_code, const std::string& what) {
  const int error = errno;
  std::fprintf(stderr, "%s: %s%s%s\n", program_invocation_short_name, what.c_str(),
               error != 0 ? ": " : "", error != 0 ? std::strerror(error) : "");
  std::fflush(stderr);
  std::_Exit(exit_code);
}

CommandLine CommandLine::Parse(int argc, char** argv, std::size_t operands_min, const char* usage) {
  CommandLine line;
  bool options_ended = false;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    errno = 0;
    if (options_ended || !argument.starts_with("--")) {
      line.operands.emplace_back(argument);
    } else if (argument == "--") {
      options_ended = true;
    } else if (argument == "--threads" && i + 1 < argc) {
      line.threads = ParseThreads(argv[++i], usage);
    } else if (argument == "--memory" && i + 1 < argc) {
      const Result<std::uint64_t> bytes = ParseBytes(argv[++i]);
      if (!bytes.ok()) Fail(kExitUsage, bytes.status().message());
      line.memory_bytes = *bytes;
    } else {
      Fail(kExitUsage, usage);
    }
  }
  errno = 0;
  if (line.operands.size() < operands_min) Fail(kExitUsage, usage);
  return line;
}

}  // namespace spillway::limits
