// The room that a set of directories has. Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace spillway {

/// Free bytes of the file systems that the directories lie on, each counted once. A directory that
/// cannot be looked at has none.
std::uint64_t FreeBytesOfAll(const std::vector<std::string>& directories);

}  // namespace spillway
