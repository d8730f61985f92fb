// OpenFileCache: files that are open for reading, few at a time. A merge reads from more segments
// than a process may have files open; opening one again costs microseconds. Thread-safe.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "mapreduce/base/file_system.h"

namespace spillway {

class OpenFileCache {
 public:
  /// Keeps up to `files_max` files open, besides those that callers hold at the moment. 0: a
  /// quarter of what the process may open, at most kFilesMax.
  OpenFileCache(FileSystem& files, std::uint32_t files_max);

  static constexpr std::uint32_t kFilesMax = 256;

  /// The file at `path`, open; the least recently used one closes for it.
  Result<std::shared_ptr<const ReadableFile>> Get(const std::string& path);

  /// Closes the file at `path` once nobody holds it, so that removing it frees its space.
  void Forget(const std::string& path);

 private:
  struct Entry {
    std::string path;
    std::shared_ptr<const ReadableFile> file;
  };
  std::shared_ptr<const ReadableFile> Find(const std::string& path);
  void CloseAll();

  FileSystem& files_;
  const std::uint32_t files_max_;
  std::mutex mutex_;
  std::list<Entry> entries_;  // Newest first.
  std::unordered_map<std::string, std::list<Entry>::iterator> by_path_;
};

}  // namespace spillway
