#include "runtime/hadoop/fs_change.h"

#include <boost/filesystem.hpp>
#include <fstream>
#include <ostream>

namespace spillway {
namespace {

namespace fs = boost::filesystem;

/// Who has no root and may not write to / is told that there could be one.
Status NotMade(const HadoopPath& path, const boost::system::error_code& error,
               const FsShell& shell) {
  std::string why = error.message();
  if (error == boost::system::errc::permission_denied && shell.paths.root().empty())
    why += ". Set SPILLWAY_HADOOP_ROOT to a directory of yours in which such paths are to lie";
  return FsError(path, why);
}

Status MakeDirectory(const HadoopPath& path, bool parents, const FsShell& shell) {
  boost::system::error_code error;
  const bool is_there = fs::exists(path.local, error);
  if (is_there && (!parents || !fs::is_directory(path.local, error)))
    return FsError(path, "File exists");
  error.clear();
  if (parents) {
    fs::create_directories(path.local, error);
  } else {
    fs::create_directory(path.local, error);
  }
  return error ? NotMade(path, error, shell) : OkStatus();
}

Status Remove(const HadoopPath& path, bool directories, const FsShell& shell) {
  boost::system::error_code error;
  const std::string& root = shell.paths.root();
  for (const std::string& kept : {std::string("/"), root})
    if (!kept.empty() && fs::equivalent(path.local, kept, error))
      return FsError(path, "is the root, and is not removed");
  if (fs::is_directory(path.local, error) && !directories) return FsError(path, "Is a directory");
  error.clear();
  fs::remove_all(path.local, error);
  if (error) return FsError(path, error.message());
  shell.out << "Deleted " << path.shown << "\n";
  return OkStatus();
}

Status Touch(const HadoopPath& path, const FsShell& shell) {
  boost::system::error_code error;
  if (fs::is_directory(path.local, error)) return FsError(path, "Is a directory");
  if (fs::exists(path.local, error)) {
    if (fs::file_size(path.local, error) != 0) return FsError(path, "Not a zero-length file");
    fs::last_write_time(path.local, std::time(nullptr), error);
    return error ? FsError(path, error.message()) : OkStatus();
  }
  if (!std::ofstream(path.local, std::ios::binary | std::ios::app))
    return NotMade(path, {errno, boost::system::generic_category()}, shell);
  return OkStatus();
}

}  // namespace

int FsMakeDirectory(const FsWords& words, const FsShell& shell) {
  int exit_code = 0;
  for (const std::string& operand : words.operands) {
    const auto path = shell.paths.Find(operand);
    exit_code |= ReportFs(
        "mkdir", path.ok() ? MakeDirectory(*path, words.Has("p"), shell) : path.status(), shell);
  }
  return exit_code;
}

int FsRemove(const FsWords& words, const FsShell& shell) {
  int exit_code = 0;
  const bool directories = words.Has("r") || words.Has("R");
  for (const std::string& operand : words.operands) {
    const auto paths = shell.paths.Expand(operand);
    const bool forgiven = words.Has("f") && paths.status().code() == Code::kNotFound;
    if (!paths.ok() && !forgiven) exit_code |= ReportFs("rm", paths.status(), shell);
    if (!paths.ok()) continue;
    for (const HadoopPath& path : *paths) {
      boost::system::error_code error;
      if (fs::symlink_status(path.local, error).type() != fs::file_not_found) {
        exit_code |= ReportFs("rm", Remove(path, directories, shell), shell);
      } else if (!words.Has("f")) {
        exit_code |= ReportFs("rm", NoSuchFile(path), shell);
      }
    }
  }
  return exit_code;
}

int FsTouch(const FsWords& words, const FsShell& shell) {
  int exit_code = 0;
  for (const std::string& operand : words.operands) {
    const auto path = shell.paths.Find(operand);
    exit_code |= ReportFs("touchz", path.ok() ? Touch(*path, shell) : path.status(), shell);
  }
  return exit_code;
}

}  // namespace spillway
