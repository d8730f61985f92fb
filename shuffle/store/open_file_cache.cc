#include "shuffle/store/open_file_cache.h"

#include <sys/resource.h>

#include <algorithm>
#include <utility>

namespace spillway {
namespace {

// Leaves most of the process's files to sockets, inputs, outputs and plugins.
std::uint32_t DefaultFilesMax() {
  constexpr std::uint64_t kFilesMin = 4;
  rlimit limit = {};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return kFilesMin;
  const std::uint64_t quarter = std::uint64_t{limit.rlim_cur} / 4;
  return static_cast<std::uint32_t>(
      std::clamp<std::uint64_t>(quarter, kFilesMin, OpenFileCache::kFilesMax));
}

}  // namespace

OpenFileCache::OpenFileCache(FileSystem& files, std::uint32_t files_max)
    : files_(files), files_max_(files_max > 0 ? files_max : DefaultFilesMax()) {}

Result<std::shared_ptr<const ReadableFile>> OpenFileCache::Get(const std::string& path) {
  if (auto file = Find(path)) return file;
  // Opened without the lock, so that a slow disk holds up only its own readers.
  auto opened = files_.Open(path);
  if (opened.status().code() == Code::kResourceExhausted) {
    CloseAll();
    opened = files_.Open(path);
  }
  if (!opened.ok()) return opened.status();
  std::shared_ptr<const ReadableFile> file = std::move(*opened);
  std::list<Entry> closing;  // Destroyed after the lock.
  std::lock_guard lock(mutex_);
  if (by_path_.contains(path)) return file;  // Another thread was faster; both will do.
  entries_.push_front({path, file});
  by_path_[path] = entries_.begin();
  if (entries_.size() > files_max_) {
    by_path_.erase(entries_.back().path);
    closing.splice(closing.begin(), entries_, std::prev(entries_.end()));
  }
  return file;
}

std::shared_ptr<const ReadableFile> OpenFileCache::Find(const std::string& path) {
  std::lock_guard lock(mutex_);
  const auto found = by_path_.find(path);
  if (found == by_path_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, found->second);
  return found->second->file;
}

void OpenFileCache::Forget(const std::string& path) {
  std::lock_guard lock(mutex_);
  const auto found = by_path_.find(path);
  if (found == by_path_.end()) return;
  entries_.erase(found->second);
  by_path_.erase(found);
}

void OpenFileCache::CloseAll() {
  std::list<Entry> closing;
  std::lock_guard lock(mutex_);
  by_path_.clear();
  closing.swap(entries_);
}

}  // namespace spillway
