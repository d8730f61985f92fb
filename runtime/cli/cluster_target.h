// Which coordinator a command talks to, and as whom: --on, --keys, --key and --insecure, judged
// together. Reads key files.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "runtime/cli/command_line.h"
#include "runtime/cli/settings.h"
#include "runtime/cli/shell.h"

namespace spillway {

struct ClusterTarget {
  ClientOptions client;
  std::uint64_t connect_timeout_ms = 30'000;
};

/// How a process proves who it is, on either side of a connection.
struct KeyChoice {
  std::string keys_dir;       ///< Of a KeyDirectory; empty: no keys.
  std::string key;            ///< The one that was named, or empty:
  std::string preferred_key;  ///< then this one, or the only one that is there.
  bool insecure = false;
};

/// InvalidArgument when neither keys nor --insecure was named for `endpoint` (ipc needs none), when
/// both were, or when --insecure would leave this host. `option` names the endpoint's option.
Result<KeyChoice> ChooseKeys(const CommandLine& line, const Settings& settings,
                             const std::string& endpoint, const std::string& option);

/// Endpoint, the chosen keys and the coordinator's public key. Errors of reading key files.
Result<ClientOptions> MakeClientOptions(const std::string& endpoint, const KeyChoice& choice);

/// Nothing when --on is not given, or is "local".
Result<std::optional<ClusterTarget>> FindClusterTarget(const CommandLine& line,
                                                       const Settings& settings);

/// For commands that make no sense without a coordinator: InvalidArgument says how to name one.
Result<ClusterTarget> RequireClusterTarget(const CommandLine& line, const Settings& settings);

/// ExitCodeOf, for what calls of a coordinator answer: Unavailable is "not reachable" there.
int ClusterExitCode(const Status& status, int signal = 0);

}  // namespace spillway
