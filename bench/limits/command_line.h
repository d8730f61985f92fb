// CommandLine: how the limit programs read their arguments and end when something fails. They
// print nothing but errors. Used by main() before threads start; Fail() from any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace spillway::limits {

/// Exit codes of sysexits.h.
inline constexpr int kExitUsage = 64;
inline constexpr int kExitNoInput = 66;
inline constexpr int kExitDisk = 74;

/// Prints "program: what: errno's text" (the latter when errno is set) and exits.
[[noreturn]] void Fail(int exit_code, const std::string& what);

struct CommandLine {
  std::vector<std::string> operands;
  unsigned threads = 2;
  std::uint64_t memory_bytes = 0;  ///< 0: as much as it takes.

  /// Knows --threads N and --memory SIZE, "--" ends the options. Fails with `usage` when the
  /// operands are fewer than `operands_min` or an option is unknown or malformed.
  static CommandLine Parse(int argc, char** argv, std::size_t operands_min, const char* usage);
};

}  // namespace spillway::limits
