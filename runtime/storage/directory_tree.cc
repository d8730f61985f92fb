#include "runtime/storage/directory_tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "runtime/storage/posix_error.h"

namespace spillway {
namespace {

Status RemoveContentsTo(int directory, const std::string& path, std::string_view keep, int depth) {
  if (depth > kTreeDepthMax)
    return InvalidArgument("cannot remove " + path + ": more than " +
                           std::to_string(kTreeDepthMax) + " directories deep; remove it by hand");
  SPILLWAY_ASSIGN_OR_RETURN(const auto names, ListDirectory(directory, path));
  for (const std::string& name : names) {
    if (name == keep && !keep.empty()) continue;
    if (::unlinkat(directory, name.c_str(), 0) == 0 || errno == ENOENT) continue;
    const std::string below = path + "/" + name;
    // Linux answers EISDIR, POSIX EPERM for a directory.
    if (errno != EISDIR && errno != EPERM) return PosixError(errno, "remove", below);
    const int unlink_error = errno;
    auto child = OpenDirectory(directory, name);
    if (!child.ok())
      return unlink_error == EPERM ? PosixError(EPERM, "remove", below) : child.status();
    SPILLWAY_RETURN_IF_ERROR(RemoveContentsTo(child->get(), below, {}, depth + 1));
    if (::unlinkat(directory, name.c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT)
      return PosixError(errno, "remove", below);
  }
  return OkStatus();
}

}  // namespace

Result<UniqueFd> OpenDirectory(int parent, const std::string& name) {
  UniqueFd fd(::openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd.valid()) return PosixError(errno, "open directory", name);
  return fd;
}

bool IsSymbolicLink(const std::string& path) {
  struct stat info {};
  return ::lstat(path.c_str(), &info) == 0 && S_ISLNK(info.st_mode);
}

Result<std::vector<std::string>> ListDirectory(int directory, const std::string& path) {
  // A stream of its own, from the start, whoever has read this descriptor before.
  UniqueFd fd(::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid()) return PosixError(errno, "list", path);
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(fd.get()), &::closedir);
  if (stream == nullptr) return PosixError(errno, "list", path);
  (void)fd.Release();
  std::vector<std::string> names;
  errno = 0;
  while (const dirent* entry = ::readdir(stream.get())) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
    errno = 0;
  }
  if (errno != 0) return PosixError(errno, "list", path);
  std::sort(names.begin(), names.end());
  return names;
}

Status RemoveContents(int directory, const std::string& path, std::string_view keep) {
  return RemoveContentsTo(directory, path, keep, 1);
}

}  // namespace spillway
