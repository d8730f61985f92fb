#include "runtime/storage/disk_space.h"

#include <sys/stat.h>
#include <sys/statvfs.h>

#include <set>

namespace spillway {

std::uint64_t FreeBytesOfAll(const std::vector<std::string>& directories) {
  std::set<dev_t> counted;
  std::uint64_t free_bytes = 0;
  for (const std::string& directory : directories) {
    struct stat info {};
    struct statvfs space {};
    if (::stat(directory.c_str(), &info) != 0 || ::statvfs(directory.c_str(), &space) != 0)
      continue;
    if (counted.insert(info.st_dev).second) free_bytes += space.f_bavail * space.f_frsize;
  }
  return free_bytes;
}

}  // namespace spillway
