// What `spillway coordinator` was told: checked one by one and together, defaults filled in. A
// value; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace spillway {

struct CoordinatorOptions {
  std::string listen;       ///< "tcp://HOST:PORT" or "ipc:///PATH"; port 0 takes any.
  std::string journal_dir;  ///< Absolute.
  std::string keys_dir;     ///< Of the KeyDirectory; empty with `insecure`.
  bool insecure = false;    ///< No keys; `listen` is on loopback.

  /// Tasks of small jobs that run on this host; 0: none, and then nothing below counts.
  std::uint32_t slots = 0;
  std::uint64_t memory_bytes = 0;
  std::vector<std::string> spill_dirs;  ///< Absolute.

  std::uint64_t lease_ms = 0;  ///< A worker that is silent for so long is lost; 0: 10 s.

  std::string log_path;  ///< Empty: stderr.
};

}  // namespace spillway
