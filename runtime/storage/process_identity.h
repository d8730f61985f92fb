// ProcessIdentity: names a process beyond its pid, which the kernel uses again: with its start
// time, the boot, the pid namespace (container) and the host. Values; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace spillway {

struct ProcessIdentity {
  std::uint64_t pid = 0;
  std::uint64_t start_ticks = 0;  ///< Since boot; 0: unknown.
  std::string boot_id;
  std::string pid_namespace;
  std::string host;

  static ProcessIdentity Self();

  /// Lines of "name value"; Parse takes what Format gives and answers nothing for anything else.
  std::string Format() const;
  static std::optional<ProcessIdentity> Parse(std::string_view text);

  /// Whether the process is certainly gone. Another host's or container's processes cannot be
  /// seen from here, so they count as alive.
  bool IsDead() const;
};

}  // namespace spillway
