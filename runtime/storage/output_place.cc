#include "runtime/storage/output_place.h"

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

}  // namespace

bool IsJobOutput(FileSystem& files, const std::string& directory) {
  return files.Stat(directory + "/" + kManifestName).ok() ||
         files.Stat(directory + "/" + kSuccessName).ok();
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
  if (overwrite == Overwrite::kNothing)
    return AlreadyExists(quoted +
                         " exists already; choose another --output, or pass --overwrite to "
                         "replace it when the job has succeeded");
  if (existing->kind != FileKind::kDirectory)
    return AlreadyExists(quoted + " is not a directory and will not be overwritten");
  if (overwrite == Overwrite::kDirectories || IsJobOutput(files, path)) return OkStatus();
  SPILLWAY_ASSIGN_OR_RETURN(const bool vacant, IsVacant(files, path));
  if (vacant) return OkStatus();
  return AlreadyExists(quoted + " has files in it and is no job's output: there is neither " +
                       kManifestName + " nor " + kSuccessName +
                       ". --overwrite would lose them, and replaces only what a job has written; "
                       "choose another --output, or remove the directory yourself");
}

}  // namespace spillway
