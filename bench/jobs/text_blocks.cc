#include "bench/jobs/text_blocks.h"

#include <cerrno>
#include <charconv>
#include <string_view>

#include "bench/limits/command_line.h"

namespace spillway::bench {
namespace {

[[noreturn]] void FailUsage(const char* usage) {
  errno = 0;
  limits::Fail(limits::kExitUsage, usage);
}

}  // namespace

TextOptions TextOptions::Parse(int argc, char** argv, std::map<std::string, std::uint64_t> defaults,
                               const char* usage) {
  TextOptions options;
  options.numbers = std::move(defaults);
  options.numbers["threads"] = options.threads;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (!argument.starts_with("--")) {
      if (!options.out.empty()) FailUsage(usage);
      options.out = argument;
      continue;
    }
    const auto found = options.numbers.find(std::string(argument.substr(2)));
    if (found == options.numbers.end() || i + 1 == argc) FailUsage(usage);
    const std::string_view value = argv[++i];
    const char* const end = value.data() + value.size();
    const auto [behind, error] = std::from_chars(value.data(), end, found->second);
    if (error != std::errc() || behind != end || found->second == 0) FailUsage(usage);
  }
  options.threads = static_cast<unsigned>(std::min<std::uint64_t>(options.numbers["threads"], 256));
  if (options.out.empty()) FailUsage(usage);
  return options;
}

}  // namespace spillway::bench
