// OwnerMarker: a small file that says which process a directory belongs to, so that what a killed
// process left behind can be told from what a running one still uses (process_identity.h).
#pragma once

#include <string>

#include "mapreduce/base/file_system.h"

namespace spillway {

/// Whoever reads a directory of files passes over names that begin so: the marker may be left in an
/// output whose job was killed right after it had published it.
inline constexpr const char* kOwnerMarkerName = "_SPILLWAY_OWNER";

/// Writes the marker of this process into `directory`. Not synced: a directory that lost it in a
/// power cut is nobody's, and stays.
Status WriteOwnerMarker(FileSystem& files, const std::string& directory);

/// Writes a marker that names something else than a process, such as a cluster's job: to
/// ReadOwnerMarker the directory is foreign, so that nobody takes it for a leftover. `durable`: the
/// content is synced, so that whoever goes on there after a power cut knows the directory by it.
Status WriteOwnerText(FileSystem& files, const std::string& directory, const std::string& text,
                      bool durable);

/// The marker's text; NotFound without one.
Result<std::string> ReadOwnerText(FileSystem& files, const std::string& directory);

enum class Ownership {
  kForeign,  ///< No marker, or not one of ours: never touch the directory.
  kAlive,    ///< Its process is running.
  kDead,     ///< Its process is gone: the directory is a leftover.
};

Ownership ReadOwnerMarker(FileSystem& files, const std::string& directory);

}  // namespace spillway
