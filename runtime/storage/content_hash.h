// ContentHash: what a file is pinned by. Stateless; any thread.
#pragma once

#include <cstddef>
#include <string>

#include "mapreduce/base/status.h"

namespace spillway {

inline constexpr std::size_t kSha256Bytes = 32;

/// SHA-256 of a file's content, kSha256Bytes long. NotFound, or what else keeps it from being read.
/// A file that changes meanwhile gives the hash of neither state; pin a copy where that matters.
Result<std::string> FileSha256(const std::string& path);

}  // namespace spillway
