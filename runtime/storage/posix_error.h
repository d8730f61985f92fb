// What an errno means to the caller: the code that names the next action, and a message with path,
// reason and that action. Pure.
#pragma once

#include <string>
#include <string_view>

#include "mapreduce/base/status.h"

namespace spillway {

/// "cannot <action> <path>: <reason>; <what to do>".
Status PosixError(int error, std::string_view action, const std::string& path);

/// Of a write or an allocation that found no space: also says how much was needed and is free.
Status NoSpaceError(int error, const std::string& path, unsigned long long need_bytes);

}  // namespace spillway
