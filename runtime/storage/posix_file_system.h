// PosixFileSystem: the FileSystem of this machine's kernel. Stateless; any thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "mapreduce/base/file_system.h"

namespace spillway {

/// Files are opened close-on-exec; Create and Reopen do not follow a link in the last component. A
/// call that a signal interrupts goes on. RenameNoReplace and Exchange need a file system that
/// knows them (ext4, xfs, btrfs, tmpfs, overlayfs do); elsewhere they answer InvalidArgument.
class PosixFileSystem final : public FileSystem {
 public:
  Result<std::unique_ptr<WritableFile>> Create(const std::string& path) override;
  Result<std::unique_ptr<WritableFile>> Reopen(const std::string& path) override;
  Result<std::unique_ptr<ReadableFile>> Open(const std::string& path) override;
  Result<FileInfo> Stat(const std::string& path) override;
  Result<std::vector<std::string>> List(const std::string& directory) override;
  Status MakeDirectory(const std::string& path, int mode) override;
  Status Remove(const std::string& path) override;
  Status RemoveTree(const std::string& path) override;
  Status RenameNoReplace(const std::string& from, const std::string& to) override;
  Status Exchange(const std::string& a, const std::string& b) override;
  Status SyncDirectory(const std::string& path) override;
  Result<std::uint64_t> FreeBytes(const std::string& path) override;
};

}  // namespace spillway
