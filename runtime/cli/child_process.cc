#include "runtime/cli/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <utility>

#include "mapreduce/base/units.h"
#include "runtime/storage/unique_fd.h"

namespace spillway {
namespace {

/// posix_spawn's list of what to do with files before the program starts, and its attributes.
class SpawnPlan {
 public:
  SpawnPlan(int out, int err, bool own_group) {
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&actions_, out, STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions_, err, STDERR_FILENO);
    ::posix_spawnattr_init(&attributes_);
    if (own_group) ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETPGROUP);
  }
  ~SpawnPlan() {
    ::posix_spawn_file_actions_destroy(&actions_);
    ::posix_spawnattr_destroy(&attributes_);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;

  Result<pid_t> Start(const std::vector<std::string>& words) const {
    std::vector<char*> argv;
    for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
    argv.push_back(nullptr);
    pid_t pid = 0;
    const int error = ::posix_spawnp(&pid, argv[0], &actions_, &attributes_, argv.data(), environ);
    if (error == ENOENT)
      return NotFound("the program '" + EscapeForLog(words[0]) + "' is not installed");
    if (error != 0)
      return ResourceExhausted("'" + EscapeForLog(words[0]) +
                               "' could not be started: " + std::strerror(error));
    return pid;
  }

 private:
  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

struct Pipe {
  UniqueFd reading, writing;
};

Result<Pipe> MakePipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0)
    return ResourceExhausted(std::string("no pipe: ") + std::strerror(errno));
  return Pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

/// Appends what is there to `text`. False at the end.
bool ReadSome(int fd, std::string* text) {
  char buffer[16 << 10];
  const ssize_t got = ::read(fd, buffer, sizeof buffer);
  if (got > 0) text->append(buffer, static_cast<std::size_t>(got));
  return got > 0 || (got < 0 && errno == EINTR);
}

/// Reads both to their ends, whichever has something.
void ReadBoth(int out_fd, int err_fd, MeasuredEnd* end) {
  pollfd fds[] = {{out_fd, POLLIN, 0}, {err_fd, POLLIN, 0}};
  std::string* const texts[] = {&end->out, &end->err};
  while (fds[0].fd >= 0 || fds[1].fd >= 0) {
    if (::poll(fds, 2, -1) < 0 && errno != EINTR) return;
    for (int i = 0; i < 2; ++i)
      // A negative one is passed over by poll.
      if (fds[i].fd >= 0 && fds[i].revents != 0 && !ReadSome(fds[i].fd, texts[i])) fds[i].fd = -1;
  }
}

int ExitCodeOfStatus(int status) {
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

double SecondsOf(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

}  // namespace

Result<ChildEnd> RunChild(const std::vector<std::string>& words) {
  SPILLWAY_ASSIGN_OR_RETURN(Pipe pipe, MakePipe());
  const SpawnPlan plan(pipe.writing.get(), pipe.writing.get(), /*own_group=*/false);
  SPILLWAY_ASSIGN_OR_RETURN(const pid_t pid, plan.Start(words));
  pipe.writing.Reset();  // So that reading ends when the child's copies are closed.
  ChildEnd end;
  while (ReadSome(pipe.reading.get(), &end.output)) {
  }
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  end.exit_code = ExitCodeOfStatus(status);
  return end;
}

Result<MeasuredEnd> MeasuredChild::Run(const std::vector<std::string>& words) {
  using Clock = std::chrono::steady_clock;
  SPILLWAY_ASSIGN_OR_RETURN(Pipe out, MakePipe());
  SPILLWAY_ASSIGN_OR_RETURN(Pipe err, MakePipe());
  const SpawnPlan plan(out.writing.get(), err.writing.get(), /*own_group=*/true);
  const Clock::time_point start = Clock::now();
  SPILLWAY_ASSIGN_OR_RETURN(const pid_t pid, plan.Start(words));
  told_ = false;
  pid_ = pid;
  if (cancelled_) TellOnce();  // It came before the process was known.
  out.writing.Reset();
  err.writing.Reset();
  MeasuredEnd end;
  ReadBoth(out.reading.get(), err.reading.get(), &end);
  // The process keeps its number until it is waited for: by then nobody sends it signals any more.
  siginfo_t info = {};
  while (::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT) < 0 && errno == EINTR) {
  }
  end.wall_seconds = std::chrono::duration<double>(Clock::now() - start).count();
  pid_ = 0;
  int status = 0;
  rusage usage = {};
  while (::wait4(pid, &status, 0, &usage) < 0 && errno == EINTR) {
  }
  end.exit_code = ExitCodeOfStatus(status);
  end.user_seconds = SecondsOf(usage.ru_utime);
  end.system_seconds = SecondsOf(usage.ru_stime);
  return end;
}

void MeasuredChild::Cancel() {
  cancelled_ = true;
  TellOnce();
}

/// A second SIGINT would end the child at once, and leave what it wrote.
void MeasuredChild::TellOnce() {
  const pid_t pid = pid_;
  if (pid > 0 && !told_.exchange(true)) ::kill(pid, SIGINT);
}

}  // namespace spillway
