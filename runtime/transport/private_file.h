// PrivateFile: small files that are nobody else's business, read with suspicion and replaced in one
// step. Stateless; any thread.
#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <string>
#include <string_view>

#include "mapreduce/base/status.h"

namespace spillway {

inline constexpr std::size_t kPrivateFileBytesMax = 1 << 20;

/// What others may do with a file before it is refused.
enum class Exposure : unsigned {
  kNothing = 077,  ///< A secret.
  kReading = 022,  ///< Public, but ours to change.
};

/// The content of a regular file; a link is not followed. PermissionDenied: others may do more than
/// `exposure`, or it is another user's; the message names the chmod. NotFound; BadData: larger than
/// kPrivateFileBytesMax or no regular file. `*info`, when given, becomes the file's stat.
Result<std::string> ReadPrivateFile(const std::string& path, Exposure exposure,
                                    struct stat* info = nullptr);

/// Replaces `path` by a file of mode 0600 with this content: wholly or not at all, and durable. One
/// caller at a time per path.
Status WritePrivateFile(const std::string& path, std::string_view content);

/// Makes the directory with mode 0700, or checks that the one which is there is ours alone.
/// PermissionDenied names the chmod.
Status MakePrivateDirectory(const std::string& path);

/// The check alone. NotFound: there is none.
Status CheckPrivateDirectory(const std::string& path);

/// Keeps other processes out of a directory's changes while it lives.
class DirectoryLock {
 public:
  static Result<DirectoryLock> Take(const std::string& directory);
  DirectoryLock(DirectoryLock&& other) noexcept;
  DirectoryLock& operator=(DirectoryLock&&) = delete;
  ~DirectoryLock();

 private:
  explicit DirectoryLock(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace spillway
