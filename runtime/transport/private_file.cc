#include "runtime/transport/private_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace spillway {
namespace {

class OwnedFd {
 public:
  explicit OwnedFd(int fd) : fd_(fd) {}
  OwnedFd(const OwnedFd&) = delete;
  OwnedFd& operator=(const OwnedFd&) = delete;
  ~OwnedFd() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  const int fd_;
};

Status Failed(const char* action, const std::string& path, int error) {
  const std::string text =
      std::string("cannot ") + action + " " + path + ": " + std::strerror(error);
  switch (error) {
    case ENOENT: return NotFound(text);
    case EEXIST: return AlreadyExists(text);
    case EACCES:
    case EPERM:
    case EROFS: return PermissionDenied(text);
    case ELOOP: return BadData(text + "; a key is no symbolic link");
    case ENOSPC:
    case EDQUOT:
    case EMFILE:
    case ENFILE: return ResourceExhausted(text);
    default: return Unavailable(text);
  }
}

Status CheckOwner(const std::string& path, const struct stat& info) {
  if (info.st_uid == ::geteuid() || info.st_uid == 0) return OkStatus();
  return PermissionDenied(path + " belongs to user " + std::to_string(info.st_uid) + ", not to " +
                          std::to_string(::geteuid()) + "; its keys cannot be trusted");
}

Status WriteAll(int fd, std::string_view content, const std::string& path) {
  while (!content.empty()) {
    const ssize_t written = ::write(fd, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return Failed("write", path, errno);
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  // A failed fsync is not tried again: the file is thrown away.
  if (::fsync(fd) != 0) return Failed("sync", path, errno);
  return OkStatus();
}

std::string DirectoryOf(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

Result<std::string> ReadPrivateFile(const std::string& path, Exposure exposure, struct stat* info) {
  // Non-blocking, so that a fifo does not hold us until the check below.
  const OwnedFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (fd.get() < 0) return Failed("read", path, errno);
  struct stat found {};
  if (::fstat(fd.get(), &found) != 0) return Failed("read", path, errno);
  if (!S_ISREG(found.st_mode)) return BadData(path + " is no regular file");
  SPILLWAY_RETURN_IF_ERROR(CheckOwner(path, found));
  if ((found.st_mode & static_cast<unsigned>(exposure)) != 0) {
    const bool secret = exposure == Exposure::kNothing;
    return PermissionDenied(std::string("others can ") + (secret ? "read " : "change ") + path +
                            "; run 'chmod " + (secret ? "600 " : "go-w ") + path + "'" +
                            (secret ? ", and make a new key if it is not yours alone" : ""));
  }

  std::string content(kPrivateFileBytesMax + 1, '\0');
  std::size_t bytes = 0;
  while (bytes < content.size()) {
    const ssize_t got = ::read(fd.get(), content.data() + bytes, content.size() - bytes);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Failed("read", path, errno);
    if (got == 0) break;
    bytes += static_cast<std::size_t>(got);
  }
  if (bytes > kPrivateFileBytesMax) {
    return BadData(path + " has more than " + std::to_string(kPrivateFileBytesMax) + " bytes");
  }
  content.resize(bytes);
  if (info != nullptr) *info = found;
  return content;
}

Status WritePrivateFile(const std::string& path, std::string_view content) {
  const std::string aside = path + ".new";
  // Of a writer that died.
  ::unlink(aside.c_str());
  {
    const OwnedFd fd(::open(aside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (fd.get() < 0) return Failed("create", aside, errno);
    const Status written = WriteAll(fd.get(), content, aside);
    if (!written.ok()) {
      ::unlink(aside.c_str());
      return written;
    }
  }
  if (::rename(aside.c_str(), path.c_str()) != 0) return Failed("replace", path, errno);
  const std::string directory = DirectoryOf(path);
  const OwnedFd parent(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (parent.get() < 0 || ::fsync(parent.get()) != 0) return Failed("sync", directory, errno);
  return OkStatus();
}

Status CheckPrivateDirectory(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return Failed("use", path, errno);
  if (!S_ISDIR(info.st_mode)) return InvalidArgument(path + " is no directory");
  SPILLWAY_RETURN_IF_ERROR(CheckOwner(path, info));
  if ((info.st_mode & 077) == 0) return OkStatus();
  return PermissionDenied("others can enter " + path + ", which holds keys; run 'chmod 700 " +
                          path + "'");
}

Status MakePrivateDirectory(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return Failed("create", path, errno);
  return CheckPrivateDirectory(path);
}

Result<DirectoryLock> DirectoryLock::Take(const std::string& directory) {
  const int fd = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return Failed("open", directory, errno);
  DirectoryLock lock(fd);
  while (::flock(fd, LOCK_EX) != 0) {
    if (errno != EINTR) return Failed("lock", directory, errno);
  }
  return lock;
}

DirectoryLock::DirectoryLock(DirectoryLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

DirectoryLock::~DirectoryLock() {
  if (fd_ >= 0) ::close(fd_);
}

}  // namespace spillway
