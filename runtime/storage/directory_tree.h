// Walks on directories that are held by descriptor, so that nobody can swap what is being looked
// at for a symbolic link. Stateless; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "mapreduce/base/status.h"
#include "runtime/storage/unique_fd.h"

namespace spillway {

/// Directories below each other that a removal goes down, one descriptor each.
inline constexpr int kTreeDepthMax = 32;

/// Opens a directory that is not a symbolic link; `parent` may be AT_FDCWD.
Result<UniqueFd> OpenDirectory(int parent, const std::string& name);

/// Itself, not what it leads to. Renames move a link, and go through one that lies on their way.
bool IsSymbolicLink(const std::string& path);

/// The names in an open directory, sorted, without "." and "..". `path` is for messages.
Result<std::vector<std::string>> ListDirectory(int directory, const std::string& path);

/// Removes everything in an open directory except the entry `keep`, never following links. What
/// somebody else removes meanwhile is no failure. `path` is for messages.
Status RemoveContents(int directory, const std::string& path, std::string_view keep = {});

}  // namespace spillway
