// FileSystem: everything the engine and the runtime ask of files, so that tests can inject
// faults and the simulation can run without a disk. Implementations are thread-safe; one file
// object belongs to one thread at a time, except ReadableFile::ReadAt, which any thread may call.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "mapreduce/base/status.h"

namespace spillway {

class WritableFile {
 public:
  virtual ~WritableFile() = default;  ///< Closes without syncing.

  /// Appends all of `data`. ResourceExhausted names path, need and free space on a full disk.
  virtual Status Append(std::string_view data) = 0;

  /// Advice: what was appended so far will be synced. Starts to write it out and does not wait, so
  /// that the device works while the program does. Never fails.
  virtual void StartSync() {}

  /// Makes the content durable. A failed Sync must never be tried again (the kernel reports the
  /// error once): discard the file and compute it again.
  virtual Status Sync() = 0;

  virtual Status Close() = 0;
};

class ReadableFile {
 public:
  virtual ~ReadableFile() = default;

  /// Reads up to `bytes` at `offset` into `scratch`; fewer only at the end of the file.
  virtual Result<std::uint64_t> ReadAt(std::uint64_t offset, std::uint64_t bytes,
                                       char* scratch) const = 0;

  /// Current size in bytes.
  virtual Result<std::uint64_t> Size() const = 0;

  /// Advice: [offset, offset+bytes) of this scratch file will not be read again; its disk space
  /// may be given back. Never fails.
  virtual void Release(std::uint64_t offset, std::uint64_t bytes) const = 0;
};

enum class FileKind { kRegular, kDirectory, kOther };

struct FileInfo {
  FileKind kind = FileKind::kRegular;
  std::uint64_t bytes = 0;
  std::uint64_t device = 0;  ///< With inode: the identity that survives renames.
  std::uint64_t inode = 0;
  std::int64_t mtime_ns = 0;
};

class FileSystem {
 public:
  virtual ~FileSystem() = default;

  /// Creates a new file for appending; AlreadyExists when the path is taken.
  virtual Result<std::unique_ptr<WritableFile>> Create(const std::string& path) = 0;
  /// An existing file, to append to it further.
  virtual Result<std::unique_ptr<WritableFile>> Reopen(const std::string& path) = 0;
  virtual Result<std::unique_ptr<ReadableFile>> Open(const std::string& path) = 0;

  /// Follows links.
  virtual Result<FileInfo> Stat(const std::string& path) = 0;
  /// Names, sorted.
  virtual Result<std::vector<std::string>> List(const std::string& directory) = 0;
  virtual Status MakeDirectory(const std::string& path, int mode) = 0;
  /// A file; NotFound if there is none.
  virtual Status Remove(const std::string& path) = 0;
  /// Never follows links.
  virtual Status RemoveTree(const std::string& path) = 0;
  /// Renames without replacing: AlreadyExists when `to` exists, be it an empty directory.
  virtual Status RenameNoReplace(const std::string& from, const std::string& to) = 0;
  /// Exchanges two existing paths in one step.
  virtual Status Exchange(const std::string& a, const std::string& b) = 0;
  virtual Status SyncDirectory(const std::string& path) = 0;
  virtual Result<std::uint64_t> FreeBytes(const std::string& path) = 0;
};

}  // namespace spillway
