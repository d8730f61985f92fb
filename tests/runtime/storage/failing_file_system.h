// FailingFileSystem: the real one until a given number of changes were made, and then one of which
// every call fails: what a process can do no more when it was killed there. One thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "runtime/storage/posix_file_system.h"

namespace spillway {

class FailingFileSystem final : public FileSystem {
 public:
  explicit FailingFileSystem(int changes_max) : left_(changes_max) {}

  bool failed() const { return failed_; }

  Result<std::unique_ptr<WritableFile>> Create(const std::string& path) override {
    SPILLWAY_RETURN_IF_ERROR(Change());
    return files_.Create(path);
  }
  Result<std::unique_ptr<WritableFile>> Reopen(const std::string& path) override {
    SPILLWAY_RETURN_IF_ERROR(Change());
    return files_.Reopen(path);
  }
  Result<std::unique_ptr<ReadableFile>> Open(const std::string& path) override {
    SPILLWAY_RETURN_IF_ERROR(Look());
    return files_.Open(path);
  }
  Result<FileInfo> Stat(const std::string& path) override {
    SPILLWAY_RETURN_IF_ERROR(Look());
    return files_.Stat(path);
  }
  Result<std::vector<std::string>> List(const std::string& directory) override {
    SPILLWAY_RETURN_IF_ERROR(Look());
    return files_.List(directory);
  }
  Status MakeDirectory(const std::string& path, int mode) override {
    SPILLWAY_RETURN_IF_ERROR(Change());
    return files_.MakeDirectory(path, mode);
  }
  Status Remove(const std::string& path) override {
    SPILLWAY_RETURN_IF_ERROR(Change());
    return files_.Remove(path);
  }
  Status RemoveTree(const std::string& path) override {
    SPILLWAY_RETURN_IF_ERROR(Change());
    return files_.RemoveTree(path);
  }
  Status RenameNoReplace(const std::string& from, const std::string& to) override {
    SPILLWAY_RETURN_IF_ERROR(Change());
    return files_.RenameNoReplace(from, to);
  }
  Status Exchange(const std::string& a, const std::string& b) override {
    SPILLWAY_RETURN_IF_ERROR(Change());
    return files_.Exchange(a, b);
  }
  Status SyncDirectory(const std::string& path) override {
    SPILLWAY_RETURN_IF_ERROR(Change());
    return files_.SyncDirectory(path);
  }
  Result<std::uint64_t> FreeBytes(const std::string& path) override {
    SPILLWAY_RETURN_IF_ERROR(Look());
    return files_.FreeBytes(path);
  }

 private:
  Status Look() { return failed_ ? Unavailable("killed") : OkStatus(); }
  Status Change() {
    if (left_-- <= 0) failed_ = true;
    return Look();
  }

  PosixFileSystem files_;
  int left_;
  bool failed_ = false;
};

}  // namespace spillway
