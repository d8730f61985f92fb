#include "runtime/hadoop/forwarding_child.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>

#include "runtime/storage/unique_fd.h"

namespace spillway {
namespace {

std::atomic<pid_t> g_child{0};  // For the handler; there is one child at a time.

/// The terminal sends SIGINT to the child itself, and a second one would end it without cleaning.
void Forward(int signal) {
  const pid_t child = g_child.load();
  if (signal != SIGINT && child > 0) ::kill(child, SIGTERM);
}

/// While it lives, signals that stop a process are the child's.
class SignalsForChild {
 public:
  SignalsForChild() {
    struct sigaction action = {};
    action.sa_handler = Forward;
    action.sa_flags = SA_RESTART;
    for (std::size_t i = 0; i < kCount; ++i) ::sigaction(kSignals[i], &action, &before_[i]);
  }
  ~SignalsForChild() {
    g_child = 0;
    for (std::size_t i = 0; i < kCount; ++i) ::sigaction(kSignals[i], &before_[i], nullptr);
  }
  SignalsForChild(const SignalsForChild&) = delete;
  SignalsForChild& operator=(const SignalsForChild&) = delete;

 private:
  static constexpr int kSignals[] = {SIGINT, SIGTERM, SIGHUP};
  static constexpr std::size_t kCount = 3;
  struct sigaction before_[kCount];
};

class SpawnFiles {
 public:
  explicit SpawnFiles(int output) {
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&actions_, output, STDOUT_FILENO);
  }
  ~SpawnFiles() { ::posix_spawn_file_actions_destroy(&actions_); }
  SpawnFiles(const SpawnFiles&) = delete;
  SpawnFiles& operator=(const SpawnFiles&) = delete;
  const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_;
};

void ReadLines(int fd, const std::function<void(std::string_view line)>& take) {
  std::string held;
  char buffer[16 << 10];
  while (true) {
    const ssize_t got = ::read(fd, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    held.append(buffer, static_cast<std::size_t>(got));
    std::size_t at = 0;
    for (std::size_t end = held.find('\n'); end != std::string::npos; end = held.find('\n', at)) {
      take(std::string_view(held).substr(at, end - at));
      at = end + 1;
    }
    held.erase(0, at);
  }
  if (!held.empty()) take(held);
}

}  // namespace

Result<int> RunForwarding(const std::vector<std::string>& words,
                          const std::function<void(std::string_view line)>& take) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0)
    return ResourceExhausted(std::string("no pipe: ") + std::strerror(errno));
  const UniqueFd reading(ends[0]);
  UniqueFd writing(ends[1]);
  std::vector<char*> argv;
  for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  const SpawnFiles files(writing.get());
  const SignalsForChild signals;
  pid_t pid = 0;
  const int error = ::posix_spawnp(&pid, argv[0], files.get(), nullptr, argv.data(), environ);
  if (error != 0) return NotFound("'" + words[0] + "' cannot be started: " + std::strerror(error));
  g_child = pid;
  writing.Reset();  // So that reading ends when the child's copies are closed.
  ReadLines(reading.get(), take);
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace spillway
