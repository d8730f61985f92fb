// A FileSystem whose files fail on demand: a disk of limited size, or one that refuses.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "mapreduce/base/file_system.h"

namespace spillway {

/// Passes everything on to `base`; the files of a limited directory share its room.
class FaultyFileSystem final : public FileSystem {
 public:
  explicit FaultyFileSystem(FileSystem& base) : base_(base) {}

  /// Writes below `directory` fail with ResourceExhausted once `bytes` are written there.
  void SetRoom(const std::string& directory, std::uint64_t bytes) {
    std::lock_guard lock(mutex_);
    room_[directory] = bytes;
  }
  void FailCreateIn(const std::string& directory) { refusing_ = directory; }
  /// Opens fail as if the process had no descriptor left while more than this are open.
  std::atomic<std::uint32_t> open_files_max{UINT32_MAX};
  std::atomic<std::uint32_t> open_files{0};
  std::atomic<std::uint32_t> opens{0};
  std::vector<std::pair<std::uint64_t, std::uint64_t>> released;  ///< (offset, bytes)

  Result<std::unique_ptr<WritableFile>> Create(const std::string& path) override {
    if (!refusing_.empty() && path.rfind(refusing_, 0) == 0)
      return PermissionDenied("cannot create " + path);
    auto file = base_.Create(path);
    if (!file.ok()) return file;
    return std::unique_ptr<WritableFile>(std::make_unique<Writable>(*this, path, std::move(*file)));
  }

  Result<std::unique_ptr<WritableFile>> Reopen(const std::string& path) override {
    return base_.Reopen(path);
  }

  Result<std::unique_ptr<ReadableFile>> Open(const std::string& path) override {
    if (open_files >= open_files_max) return ResourceExhausted("too many open files");
    auto file = base_.Open(path);
    if (!file.ok()) return file;
    ++opens;
    return std::unique_ptr<ReadableFile>(std::make_unique<Readable>(*this, std::move(*file)));
  }

  Result<std::uint64_t> FreeBytes(const std::string& path) override {
    std::lock_guard lock(mutex_);
    const auto found = room_.find(path);
    return found == room_.end() ? base_.FreeBytes(path) : Result<std::uint64_t>(found->second);
  }

  Result<FileInfo> Stat(const std::string& path) override { return base_.Stat(path); }
  Result<std::vector<std::string>> List(const std::string& path) override {
    return base_.List(path);
  }
  Status MakeDirectory(const std::string& path, int mode) override {
    return base_.MakeDirectory(path, mode);
  }
  Status Remove(const std::string& path) override { return base_.Remove(path); }
  Status RemoveTree(const std::string& path) override { return base_.RemoveTree(path); }
  Status RenameNoReplace(const std::string& from, const std::string& to) override {
    return base_.RenameNoReplace(from, to);
  }
  Status Exchange(const std::string& a, const std::string& b) override {
    return base_.Exchange(a, b);
  }
  Status SyncDirectory(const std::string& path) override { return base_.SyncDirectory(path); }

 private:
  class Writable final : public WritableFile {
   public:
    Writable(FaultyFileSystem& owner, std::string path, std::unique_ptr<WritableFile> base)
        : owner_(owner), path_(std::move(path)), base_(std::move(base)) {}
    Status Append(std::string_view data) override {
      {
        std::lock_guard lock(owner_.mutex_);
        for (auto& [directory, bytes] : owner_.room_) {
          if (path_.rfind(directory, 0) != 0) continue;
          if (data.size() > bytes)
            return ResourceExhausted("cannot write " + path_ +
                                     ": no space left: " + std::to_string(data.size()) +
                                     " B needed, " + std::to_string(bytes) + " B free");
          bytes -= data.size();
        }
      }
      return base_->Append(data);
    }
    Status Sync() override { return base_->Sync(); }
    Status Close() override { return base_->Close(); }

   private:
    FaultyFileSystem& owner_;
    const std::string path_;
    const std::unique_ptr<WritableFile> base_;
  };

  class Readable final : public ReadableFile {
   public:
    Readable(FaultyFileSystem& owner, std::unique_ptr<ReadableFile> base)
        : owner_(owner), base_(std::move(base)) {
      ++owner_.open_files;
    }
    ~Readable() override { --owner_.open_files; }
    Result<std::uint64_t> ReadAt(std::uint64_t offset, std::uint64_t bytes,
                                 char* scratch) const override {
      return base_->ReadAt(offset, bytes, scratch);
    }
    Result<std::uint64_t> Size() const override { return base_->Size(); }
    void Release(std::uint64_t offset, std::uint64_t bytes) const override {
      owner_.released.emplace_back(offset, bytes);
      base_->Release(offset, bytes);
    }

   private:
    FaultyFileSystem& owner_;
    const std::unique_ptr<ReadableFile> base_;
  };

  FileSystem& base_;
  std::mutex mutex_;
  std::map<std::string, std::uint64_t> room_;
  std::string refusing_;
};

}  // namespace spillway
