#include "bench/jobs/generator.h"

#include <cerrno>
#include <charconv>
#include <string_view>

#include "bench/limits/command_line.h"
#include "mapreduce/base/units.h"

namespace spillway::bench {
namespace {

[[noreturn]] void FailUsage(const std::string& message) {
  errno = 0;
  limits::Fail(limits::kExitUsage, message);
}

std::uint64_t ParseNumber(std::string_view text, const char* usage) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) FailUsage(usage);
  return number;
}

/// A plain number is bytes as it stands; a suffix makes it a size ("256M").
std::uint64_t ParseSize(std::string_view text) {
  const Result<std::uint64_t> bytes = ParseBytes(text);
  if (!bytes.ok()) FailUsage(bytes.status().message());
  return *bytes;
}

}  // namespace

GeneratorOptions GeneratorOptions::Parse(int argc, char** argv, const char* usage) {
  GeneratorOptions options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--ascii") {
      options.ascii = true;
    } else if (argument.starts_with("--") && i + 1 < argc) {
      const std::string_view value = argv[++i];
      if (argument == "--bytes")
        options.bytes = ParseSize(value);
      else if (argument == "--seed")
        options.seed = ParseNumber(value, usage);
      else if (argument == "--words")
        options.words = ParseNumber(value, usage);
      else if (argument == "--threads")
        options.threads = static_cast<unsigned>(ParseNumber(value, usage));
      else
        FailUsage(usage);
    } else if (!argument.starts_with("--") && options.out.empty()) {
      options.out = argument;
    } else {
      FailUsage(usage);
    }
  }
  if (options.out.empty() || options.bytes == 0 || options.threads == 0 || options.words == 0 ||
      options.words > UINT32_MAX)
    FailUsage(usage);
  return options;
}

}  // namespace spillway::bench
