// What `spillway worker` was told: checked one by one and together, defaults filled in, keys read.
// A value; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/transport/transport_options.h"

namespace spillway {

struct WorkerOptions {
  /// Endpoint, keys and the coordinator's public key; the keys are empty with `insecure`.
  ClientOptions coordinator;
  bool insecure = false;     ///< No keys. The coordinator is on this host.
  std::string name;          ///< How people see it.
  std::string host;          ///< Workers with one host read each other's files.
  std::string rack;          ///< May be empty.
  std::string fetch_listen;  ///< "tcp://HOST:PORT"; empty: any port of the interface that is used.
  std::vector<std::string> spill_dirs;  ///< At least one; absolute.
  std::uint32_t slots = 1;
  std::uint64_t memory_bytes = 0;          ///< Of the daemon and its executors together.
  std::uint32_t protocol_version_max = 0;  ///< Not 0: speak this older version of the protocol.
  std::string log_path;                    ///< Empty: stderr.
};

}  // namespace spillway
