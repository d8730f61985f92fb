#include "runtime/storage/posix_error.h"

#include <sys/statvfs.h>

#include <cerrno>
#include <system_error>

#include "mapreduce/base/units.h"

namespace spillway {
namespace {

struct Meaning {
  Code code;
  const char* advice;
};

Meaning MeaningOf(int error) {
  switch (error) {
    case ENOENT: return {Code::kNotFound, "check the path"};
    case EEXIST:
    case ENOTEMPTY: return {Code::kAlreadyExists, "choose another place or remove it"};
    case EACCES:
    case EPERM:
    case EROFS: return {Code::kPermissionDenied, "check owner and mode of the path"};
    case ENOSPC:
    case EDQUOT: return {Code::kResourceExhausted, "free space or choose another directory"};
    case EFBIG: return {Code::kResourceExhausted, "raise the file size limit (ulimit -f)"};
    case EMFILE:
    case ENFILE: return {Code::kResourceExhausted, "raise the limit of open files (ulimit -n)"};
    case ENOMEM: return {Code::kResourceExhausted, "free memory or lower --memory"};
    case EAGAIN:
    case EBUSY:
    case EINTR: return {Code::kUnavailable, "try again"};
    case EIO:
    case EUCLEAN: return {Code::kDataLoss, "the disk may be failing: use another one"};
    case EXDEV: return {Code::kInvalidArgument, "both must lie on one file system"};
    case ELOOP: return {Code::kInvalidArgument, "a symbolic link is not followed here"};
    case EINVAL:
    case ENOSYS:
    case EOPNOTSUPP:
      return {Code::kInvalidArgument, "this file system cannot do it: choose another one"};
    default: return {Code::kInvalidArgument, "check the path"};
  }
}

std::string Describe(int error, std::string_view action, const std::string& path) {
  // std::strerror shares one buffer between threads.
  return "cannot " + std::string(action) + " " + EscapeForLog(path, 4096) + ": " +
         std::generic_category().message(error);
}

}  // namespace

Status PosixError(int error, std::string_view action, const std::string& path) {
  const Meaning meaning = MeaningOf(error);
  return {meaning.code, Describe(error, action, path) + "; " + meaning.advice};
}

Status NoSpaceError(int error, const std::string& path, unsigned long long need_bytes) {
  std::string message = Describe(error, "write", path) + ": " + FormatBytes(need_bytes) + " needed";
  struct statvfs info = {};
  if (::statvfs(path.c_str(), &info) == 0)
    message += ", " + FormatBytes(std::uint64_t{info.f_bavail} * info.f_frsize) + " free";
  return ResourceExhausted(message + "; free space or choose another directory");
}

}  // namespace spillway
