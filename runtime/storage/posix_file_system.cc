#include "runtime/storage/posix_file_system.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "mapreduce/base/check.h"
#include "runtime/storage/directory_tree.h"
#include "runtime/storage/posix_error.h"
#include "runtime/storage/unique_fd.h"

namespace spillway {
namespace {

// One system call moves less than 2 GiB anyway.
constexpr std::uint64_t kTransferBytesMax = std::uint64_t{1} << 30;

bool IsNoSpace(int error) { return error == ENOSPC || error == EDQUOT; }

class PosixWritableFile final : public WritableFile {
 public:
  PosixWritableFile(UniqueFd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

  Status Append(std::string_view data) override {
    SPILLWAY_CHECK(fd_.valid());
    while (!data.empty()) {
      const ssize_t written =
          ::write(fd_.get(), data.data(), std::min<std::uint64_t>(data.size(), kTransferBytesMax));
      if (written < 0 && errno == EINTR) continue;
      if (written < 0 && IsNoSpace(errno)) return NoSpaceError(errno, path_, data.size());
      // A write that fails is not data lost: the task writes it again, elsewhere.
      if (written < 0 && errno == EIO) return Aborted(PosixError(EIO, "write", path_).message());
      if (written < 0) return PosixError(errno, "write", path_);
      data.remove_prefix(static_cast<std::size_t>(written));
    }
    return OkStatus();
  }

  void StartSync() override {
    // To the end of the file: what is on its way already is not written twice.
    ::sync_file_range(fd_.get(), 0, 0, SYNC_FILE_RANGE_WRITE);
  }

  Status Sync() override {
    SPILLWAY_CHECK(fd_.valid());
    if (!sync_failure_.ok()) return sync_failure_;
    int result;
    do {
      result = ::fsync(fd_.get());
    } while (result != 0 && errno == EINTR);
    if (result == 0) return OkStatus();
    sync_failure_ = IsNoSpace(errno) ? NoSpaceError(errno, path_, 0)
                                     : Aborted(PosixError(errno, "make durable", path_).message());
    return sync_failure_;
  }

  Status Close() override {
    // After EINTR the descriptor is closed nevertheless, and its number may be somebody else's.
    if (fd_.Reset() == 0 || errno == EINTR) return OkStatus();
    if (IsNoSpace(errno)) return NoSpaceError(errno, path_, 0);
    return Aborted(PosixError(errno, "close", path_).message());
  }

 private:
  UniqueFd fd_;
  const std::string path_;
  Status sync_failure_;
};

class PosixReadableFile final : public ReadableFile {
 public:
  PosixReadableFile(UniqueFd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

  Result<std::uint64_t> ReadAt(std::uint64_t offset, std::uint64_t bytes,
                               char* scratch) const override {
    std::uint64_t done = 0;
    while (done < bytes) {
      const ssize_t read =
          ::pread(fd_.get(), scratch + done, std::min(bytes - done, kTransferBytesMax),
                  static_cast<off_t>(offset + done));
      if (read < 0 && errno == EINTR) continue;
      if (read < 0) return PosixError(errno, "read", path_);
      if (read == 0) break;
      done += static_cast<std::uint64_t>(read);
    }
    return done;
  }

  Result<std::uint64_t> Size() const override {
    struct stat info = {};
    if (::fstat(fd_.get(), &info) != 0) return PosixError(errno, "look at", path_);
    return static_cast<std::uint64_t>(info.st_size);
  }

  void Release(std::uint64_t offset, std::uint64_t bytes) const override {
    // A hole needs a descriptor that may write; the link in /proc leads to this very file even
    // when its path is taken by another one. Where that fails, the space comes back later.
    const std::string self = "/proc/self/fd/" + std::to_string(fd_.get());
    const UniqueFd writable(::open(self.c_str(), O_WRONLY | O_CLOEXEC));
    if (!writable.valid()) return;
    (void)::fallocate(writable.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                      static_cast<off_t>(offset), static_cast<off_t>(bytes));
  }

 private:
  const UniqueFd fd_;
  const std::string path_;
};

Status Rename(const std::string& from, const std::string& to, unsigned flags, const char* action) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), flags) == 0) return OkStatus();
  // Which of the two is missing or in the way only the whole sentence can tell.
  return PosixError(errno, std::string(action) + " " + from + " to", to);
}

}  // namespace

Result<std::unique_ptr<WritableFile>> PosixFileSystem::Create(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666));
  if (!fd.valid()) return PosixError(errno, "create", path);
  return std::unique_ptr<WritableFile>(std::make_unique<PosixWritableFile>(std::move(fd), path));
}

Result<std::unique_ptr<WritableFile>> PosixFileSystem::Reopen(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC));
  if (!fd.valid()) return PosixError(errno, "open", path);
  return std::unique_ptr<WritableFile>(std::make_unique<PosixWritableFile>(std::move(fd), path));
}

Result<std::unique_ptr<ReadableFile>> PosixFileSystem::Open(const std::string& path) {
  // Not blocking, so that a fifo nobody writes to is an error of its reader, not a hang here.
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (!fd.valid()) return PosixError(errno, "open", path);
  return std::unique_ptr<ReadableFile>(std::make_unique<PosixReadableFile>(std::move(fd), path));
}

Result<FileInfo> PosixFileSystem::Stat(const std::string& path) {
  struct stat info = {};
  if (::stat(path.c_str(), &info) != 0) return PosixError(errno, "look at", path);
  FileInfo result;
  result.kind = S_ISREG(info.st_mode)   ? FileKind::kRegular
                : S_ISDIR(info.st_mode) ? FileKind::kDirectory
                                        : FileKind::kOther;
  result.bytes = static_cast<std::uint64_t>(info.st_size);
  result.device = info.st_dev;
  result.inode = info.st_ino;
  result.mtime_ns = std::int64_t{info.st_mtim.tv_sec} * 1'000'000'000 + info.st_mtim.tv_nsec;
  return result;
}

Result<std::vector<std::string>> PosixFileSystem::List(const std::string& directory) {
  UniqueFd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid()) return PosixError(errno, "list", directory);
  return ListDirectory(fd.get(), directory);
}

Status PosixFileSystem::MakeDirectory(const std::string& path, int mode) {
  if (::mkdir(path.c_str(), static_cast<mode_t>(mode)) == 0) return OkStatus();
  return PosixError(errno, "make directory", path);
}

Status PosixFileSystem::Remove(const std::string& path) {
  if (::unlink(path.c_str()) == 0) return OkStatus();
  return PosixError(errno, "remove", path);
}

Status PosixFileSystem::RemoveTree(const std::string& path) {
  auto directory = OpenDirectory(AT_FDCWD, path);
  if (!directory.ok()) {
    // Not a directory: a file, or a link, which goes without what it points to.
    if (directory.status().code() == Code::kNotFound) return directory.status();
    return Remove(path);
  }
  SPILLWAY_RETURN_IF_ERROR(RemoveContents(directory->get(), path));
  if (::rmdir(path.c_str()) == 0) return OkStatus();
  return PosixError(errno, "remove", path);
}

Status PosixFileSystem::RenameNoReplace(const std::string& from, const std::string& to) {
  return Rename(from, to, RENAME_NOREPLACE, "rename");
}

Status PosixFileSystem::Exchange(const std::string& a, const std::string& b) {
  return Rename(a, b, RENAME_EXCHANGE, "exchange");
}

Status PosixFileSystem::SyncDirectory(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid()) return PosixError(errno, "open directory", path);
  if (::fsync(fd.get()) == 0) return OkStatus();
  return Aborted(PosixError(errno, "make durable", path).message());
}

Result<std::uint64_t> PosixFileSystem::FreeBytes(const std::string& path) {
  struct statvfs info = {};
  if (::statvfs(path.c_str(), &info) != 0) return PosixError(errno, "look at", path);
  return std::uint64_t{info.f_bavail} * info.f_frsize;
}

}  // namespace spillway
