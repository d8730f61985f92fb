#include "runtime/cli/child_process.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "mapreduce/base/units.h"
#include "runtime/storage/unique_fd.h"

namespace spillway {
namespace {

/// posix_spawn's list of what to do with files before the program starts.
class SpawnFiles {
 public:
  explicit SpawnFiles(int output) {
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&actions_, output, STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions_, output, STDERR_FILENO);
  }
  ~SpawnFiles() { ::posix_spawn_file_actions_destroy(&actions_); }
  SpawnFiles(const SpawnFiles&) = delete;
  SpawnFiles& operator=(const SpawnFiles&) = delete;
  const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_;
};

std::string ReadAll(int fd) {
  std::string all;
  char buffer[16 << 10];
  while (true) {
    const ssize_t got = ::read(fd, buffer, sizeof buffer);
    if (got > 0) all.append(buffer, static_cast<std::size_t>(got));
    if (got == 0 || (got < 0 && errno != EINTR)) return all;
  }
}

int WaitFor(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace

Result<ChildEnd> RunChild(const std::vector<std::string>& words) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0)
    return ResourceExhausted(std::string("no pipe: ") + std::strerror(errno));
  const UniqueFd reading(ends[0]);
  UniqueFd writing(ends[1]);
  std::vector<char*> argv;
  for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  const SpawnFiles files(writing.get());
  pid_t pid = 0;
  const int error = ::posix_spawnp(&pid, argv[0], files.get(), nullptr, argv.data(), environ);
  if (error == ENOENT)
    return NotFound("the program '" + EscapeForLog(words[0]) + "' is not installed");
  if (error != 0)
    return ResourceExhausted("'" + EscapeForLog(words[0]) +
                             "' could not be started: " + std::strerror(error));
  writing.Reset();  // So that reading ends when the child's copies are closed.
  std::string output = ReadAll(reading.get());
  return ChildEnd{WaitFor(pid), std::move(output)};
}

}  // namespace spillway
