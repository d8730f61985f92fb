#include "runtime/storage/output_place.h"

#include <utility>
#include <vector>

#include "mapreduce/base/units.h"
#include "runtime/storage/directory_tree.h"
#include "runtime/storage/owner_marker.h"

namespace spillway {

namespace {

/// In a name of what is staged or kept beside an output (output_staging.h, work_directory.h).
constexpr const char* kLeftoverInfix = ".spillway-";

/// A process that is killed before it has marked its directory leaves it empty.
bool IsLeftover(FileSystem& files, const std::string& path, const std::string& name) {
  if (name[0] != '.' || name.find(kLeftoverInfix) == std::string::npos) return false;
  if (ReadOwnerMarker(files, path) == Ownership::kDead) return true;
  const auto names = files.List(path);
  return names.ok() && names->empty();
}

/// The first directory below an output of ours that has files but no marker. Such a one was there
/// before a job has put its own directories beside it. Empty when there is none.
Result<std::string> FirstUnmarked(FileSystem& files, const std::string& output) {
  std::vector<std::string> levels = {output};
  while (!levels.empty()) {
    const std::string level = std::move(levels.back());
    levels.pop_back();
    SPILLWAY_ASSIGN_OR_RETURN(const auto names, files.List(level));
    for (const std::string& name : names) {
      const std::string path = level + "/" + name;
      if (IsLeftover(files, path, name)) continue;
      const Result<FileInfo> info = files.Stat(path);
      if (info.ok() && info->kind == FileKind::kDirectory && !IsSymbolicLink(path)) {
        if (!IsJobOutput(files, path)) levels.push_back(path);
      } else if (level != output) {
        return level;
      }
    }
  }
  return std::string();
}

/// AlreadyExists: the directory has what no job has written.
Status CheckWritten(FileSystem& files, const std::string& path) {
  const std::string quoted = "the output '" + EscapeForLog(path) + "'";
  const std::string markers_and_advice =
      std::string(kManifestName) + " nor " + kSuccessName +
      ". --overwrite would lose them, and replaces only what a job has written; choose another "
      "--output, or remove the directory yourself";
  if (!IsJobOutput(files, path)) {
    SPILLWAY_ASSIGN_OR_RETURN(const bool vacant, IsVacant(files, path));
    if (vacant) return OkStatus();
    return AlreadyExists(quoted + " has files in it and is no job's output: there is neither " +
                         markers_and_advice);
  }
  if (MarksAllBelow(files, path)) return OkStatus();
  SPILLWAY_ASSIGN_OR_RETURN(const std::string unmarked, FirstUnmarked(files, path));
  if (unmarked.empty()) return OkStatus();
  return AlreadyExists(quoted + " has files in it that no job has written: in '" +
                       EscapeForLog(unmarked) + "' there is neither " + markers_and_advice);
}

}  // namespace

bool IsJobOutput(FileSystem& files, const std::string& directory) {
  return files.Stat(directory + "/" + kManifestName).ok() ||
         files.Stat(directory + "/" + kSuccessName).ok();
}

bool MarksAllBelow(FileSystem& files, const std::string& output) {
  return files.Stat(output + "/" + kSuccessName).ok() &&
         files.Stat(output + "/" + kManifestName).status().code() == Code::kNotFound;
}

Result<bool> IsVacant(FileSystem& files, const std::string& directory) {
  SPILLWAY_ASSIGN_OR_RETURN(const auto names, files.List(directory));
  for (const std::string& name : names)
    if (!IsLeftover(files, directory + "/" + name, name)) return false;
  return true;
}

Status CheckOutputPlace(FileSystem& files, const std::string& output_dir, Overwrite overwrite) {
  std::string path = output_dir;
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  const std::string quoted = "the output '" + EscapeForLog(path) + "'";
  if (IsSymbolicLink(path))
    return AlreadyExists(quoted +
                         " is a symbolic link, which no output replaces; name a directory");
  const Result<FileInfo> existing = files.Stat(path);
  if (existing.status().code() == Code::kNotFound) return OkStatus();
  // No path that could come into being, or not for this user.
  if (!existing.ok()) return existing.status().Annotate("the output");
  const bool is_directory = existing->kind == FileKind::kDirectory;
  if (overwrite == Overwrite::kNothing) {
    // Nobody is advised to try what would be refused.
    if (!is_directory || !CheckWritten(files, path).ok())
      return AlreadyExists(quoted +
                           " exists already, and --overwrite would not replace it, since no job "
                           "has written it or all in it; choose another --output");
    return AlreadyExists(quoted +
                         " exists already; choose another --output, or pass --overwrite to "
                         "replace it when the job has succeeded");
  }
  if (!is_directory)
    return AlreadyExists(quoted + " is not a directory and will not be overwritten");
  if (overwrite == Overwrite::kDirectories) return OkStatus();
  return CheckWritten(files, path);
}

}  // namespace spillway
