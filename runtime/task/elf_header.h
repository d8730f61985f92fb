// ElfHeader: what the first bytes of a file say of it, so that the common mistakes with plugins get
// a plain answer before anything is loaded. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "mapreduce/base/status.h"

namespace spillway {

/// Whether a file of `file_bytes` that begins with `head` (64 bytes, or the whole file) may be a
/// library for this machine, and whole. BadData says what it is instead; `path` is for the message.
Status CheckElfHeader(std::string_view head, std::uint64_t file_bytes, const std::string& path);

}  // namespace spillway
