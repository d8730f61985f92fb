#include "runtime/storage/content_hash.h"

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "runtime/storage/posix_error.h"
#include "runtime/storage/unique_fd.h"

namespace spillway {
namespace {

constexpr std::size_t kChunkBytes = 256 << 10;

static_assert(kSha256Bytes == crypto_hash_sha256_BYTES);

}  // namespace

Result<std::string> FileSha256(const std::string& path) {
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));  // A pipe waits.
  if (!file.valid()) return PosixError(errno, "open", path);
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) return PosixError(errno, "look at", path);
  if (!S_ISREG(info.st_mode)) return BadData("'" + path + "' is not a regular file");
  crypto_hash_sha256_state state;
  crypto_hash_sha256_init(&state);
  std::vector<unsigned char> chunk(kChunkBytes);
  while (true) {
    const ssize_t bytes = ::read(file.get(), chunk.data(), chunk.size());
    if (bytes < 0 && errno == EINTR) continue;
    if (bytes < 0) return PosixError(errno, "read", path);
    if (bytes == 0) break;
    crypto_hash_sha256_update(&state, chunk.data(), static_cast<unsigned long long>(bytes));
  }
  std::string hash(kSha256Bytes, '\0');
  crypto_hash_sha256_final(&state, reinterpret_cast<unsigned char*>(hash.data()));
  return hash;
}

}  // namespace spillway
