#include "runtime/storage/scratch_directory.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "runtime/storage/directory_tree.h"
#include "runtime/storage/posix_error.h"
#include "runtime/storage/process_identity.h"
#include "shuffle/store/kill_point.h"

namespace spillway {
namespace {

constexpr mode_t kOwnerOnly = 0700;
constexpr const char* kJobPrefix = "job-";
constexpr std::size_t kMarkerBytesMax = 4096;
constexpr std::size_t kJobIdBytesMax = 128;

std::string UserDirectoryName() { return "spillway-" + std::to_string(::geteuid()); }

bool IsSafeName(const std::string& id) {
  return !id.empty() && id.size() <= kJobIdBytesMax &&
         std::all_of(id.begin(), id.end(), [](unsigned char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '-' || c == '_' || c == '.';
         });
}

// Opens <spill-dir>/spillway-<uid>. Spill directories are often open to all (/tmp), so somebody
// may have been there first.
Result<UniqueFd> OpenUserDirectory(const std::string& spill_dir) {
  const std::string path = spill_dir + "/" + UserDirectoryName();
  auto directory = OpenDirectory(AT_FDCWD, path);
  if (directory.status().code() == Code::kNotFound) return directory;
  struct stat info = {};
  if (::lstat(path.c_str(), &info) != 0 && errno == ENOTDIR)
    return InvalidArgument("the spill directory '" + spill_dir +
                           "' is not a directory; name another with --spill-dir");
  const std::string trap =
      " is not used for scratch files; remove it or choose another --spill-dir";
  if (!directory.ok()) return PermissionDenied(directory.status().message() + ": it" + trap);
  if (::fstat(directory->get(), &info) != 0) return PosixError(errno, "look at", path);
  if (info.st_uid != ::geteuid())
    return PermissionDenied(path + " belongs to user " + std::to_string(info.st_uid) + " and" +
                            trap);
  if ((info.st_mode & 077) != 0)
    return PermissionDenied(path + " is open to other users and" + trap);
  return directory;
}

Result<UniqueFd> MakeUserDirectory(const std::string& spill_dir) {
  const std::string path = spill_dir + "/" + UserDirectoryName();
  if (::mkdir(path.c_str(), kOwnerOnly) != 0 && errno != EEXIST)
    return PosixError(errno, "make scratch directory", path);
  return OpenUserDirectory(spill_dir);
}

Status WriteAll(const UniqueFd& fd, const std::string& text, const std::string& path) {
  const ssize_t written = ::write(fd.get(), text.data(), text.size());
  if (written == static_cast<ssize_t>(text.size())) return OkStatus();
  return PosixError(written < 0 ? errno : ENOSPC, "write marker in", path);
}

// A marker that is there is whole: an empty one, of a process killed before it wrote, would name
// nobody, and its directory would stay. Where files cannot be without a name that is not promised.
Status WriteMarker(int directory, const std::string& path) {
  const std::string text = ProcessIdentity::Self().Format();
  const UniqueFd nameless(::openat(directory, ".", O_WRONLY | O_TMPFILE | O_CLOEXEC, 0600));
  if (nameless.valid()) {
    SPILLWAY_RETURN_IF_ERROR(WriteAll(nameless, text, path));
    KillPoint("scratch-marker-written");
    const std::string self = "/proc/self/fd/" + std::to_string(nameless.get());
    if (::linkat(AT_FDCWD, self.c_str(), directory, ScratchDirectory::kMarkerName,
                 AT_SYMLINK_FOLLOW) == 0)
      return OkStatus();
  }
  const UniqueFd fd(::openat(directory, ScratchDirectory::kMarkerName,
                             O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!fd.valid()) return PosixError(errno, "create marker in", path);
  return WriteAll(fd, text, path);
}

bool IsLeftover(int directory) {
  const UniqueFd fd(::openat(directory, ScratchDirectory::kMarkerName,
                             O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!fd.valid()) return false;
  std::string text(kMarkerBytesMax, '\0');
  const ssize_t bytes = ::read(fd.get(), text.data(), text.size());
  if (bytes <= 0) return false;
  text.resize(static_cast<std::size_t>(bytes));
  const auto owner = ProcessIdentity::Parse(text);
  return owner.has_value() && owner->IsDead();
}

// The marker goes last, so that a removal that is cut short can be taken up again. Works on the
// descriptor: should the name meanwhile be another run's new directory, that one has its marker,
// and the final rmdir leaves it.
Status RemoveMarked(int parent, int directory, const std::string& name, const std::string& path) {
  SPILLWAY_RETURN_IF_ERROR(RemoveContents(directory, path, ScratchDirectory::kMarkerName));
  KillPoint("scratch-emptied");
  if (::unlinkat(directory, ScratchDirectory::kMarkerName, 0) != 0 && errno != ENOENT)
    return PosixError(errno, "remove marker in", path);
  KillPoint("scratch-unmarked");
  if (::unlinkat(parent, name.c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT && errno != ENOTEMPTY)
    return PosixError(errno, "remove", path);
  return OkStatus();
}

}  // namespace

ScratchDirectory::ScratchDirectory(UniqueFd parent, UniqueFd directory, std::string name,
                                   std::string path)
    : parent_(std::move(parent)),
      directory_(std::move(directory)),
      name_(std::move(name)),
      path_(std::move(path)) {}

ScratchDirectory::~ScratchDirectory() {
  // A failure leaves a marked directory, which the next start removes.
  (void)RemoveMarked(parent_.get(), directory_.get(), name_, path_);
}

Result<std::unique_ptr<ScratchDirectory>> ScratchDirectory::Create(const std::string& spill_dir,
                                                                   const std::string& job_id) {
  if (!IsSafeName(job_id))
    return InvalidArgument("'" + job_id.substr(0, kJobIdBytesMax) +
                           "' cannot name a job: letters, digits, '-', '_' and '.' can");
  SPILLWAY_ASSIGN_OR_RETURN(UniqueFd parent, MakeUserDirectory(spill_dir));
  for (int same_job = 1; same_job <= kSameJobMax; ++same_job) {
    const std::string name =
        kJobPrefix + job_id + (same_job > 1 ? "." + std::to_string(same_job) : "");
    const std::string path = spill_dir + "/" + UserDirectoryName() + "/" + name;
    if (::mkdirat(parent.get(), name.c_str(), kOwnerOnly) != 0) {
      if (errno == EEXIST) continue;
      return PosixError(errno, "make scratch directory", path);
    }
    auto opened = OpenDirectory(parent.get(), name);
    if (opened.status().code() == Code::kNotFound) continue;  // As below.
    SPILLWAY_ASSIGN_OR_RETURN(UniqueFd directory, std::move(opened));
    KillPoint("scratch-made");
    const Status marked = WriteMarker(directory.get(), path);
    // Somebody who removes leftovers took the empty directory for one.
    if (marked.code() == Code::kNotFound) continue;
    if (!marked.ok()) {
      (void)RemoveMarked(parent.get(), directory.get(), name, path);
      return marked;
    }
    KillPoint("scratch-marked");
    return std::unique_ptr<ScratchDirectory>(
        new ScratchDirectory(std::move(parent), std::move(directory), name, path));
  }
  return AlreadyExists(spill_dir + " has " + std::to_string(kSameJobMax) +
                       " scratch directories of job " + job_id + "; remove those not in use");
}

Result<std::uint32_t> ScratchDirectory::RemoveLeftovers(const std::string& spill_dir) {
  auto parent = OpenUserDirectory(spill_dir);
  if (parent.status().code() == Code::kNotFound) return std::uint32_t{0};
  if (!parent.ok()) return parent.status();
  const std::string parent_path = spill_dir + "/" + UserDirectoryName();
  SPILLWAY_ASSIGN_OR_RETURN(const auto names, ListDirectory(parent->get(), parent_path));
  std::uint32_t removed = 0;
  for (const std::string& name : names) {
    if (name.rfind(kJobPrefix, 0) != 0) continue;
    const auto directory = OpenDirectory(parent->get(), name);
    if (!directory.ok()) continue;
    if (!IsLeftover(directory->get())) {
      // Goes when it is empty: its process died before it was marked, or after its marker went.
      (void)::unlinkat(parent->get(), name.c_str(), AT_REMOVEDIR);
      continue;
    }
    // A leftover that resists must not keep the next job from starting.
    if (RemoveMarked(parent->get(), directory->get(), name, parent_path + "/" + name).ok())
      ++removed;
  }
  return removed;
}

}  // namespace spillway
