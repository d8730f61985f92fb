#include "runtime/stream/child_pipe.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "mapreduce/abi.h"
#include "runtime/storage/unique_fd.h"

namespace spillway {
namespace {

// What the kernel lets everybody have by default; a refusal only means more switches.
constexpr int kPipeBytes = 1 << 20;
constexpr std::size_t kReadBytes = 256 << 10;

Status SystemError(const std::string& what) {
  return ResourceExhausted(what + ": " + std::strerror(errno));
}

struct Pipe {
  UniqueFd reading, writing;
};

/// A pipe whose end that stays here does not block.
Result<Pipe> MakePipe(bool write_here) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return SystemError("no pipe for a command");
  Pipe pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
  ::fcntl(ends[0], F_SETPIPE_SZ, kPipeBytes);
  if (::fcntl(ends[write_here ? 1 : 0], F_SETFL, O_NONBLOCK) != 0)
    return SystemError("a pipe cannot be set up");
  return pipe;
}

/// posix_spawn's two lists of what to do before the command starts. It gets the signals as a shell
/// would give them, and stays in this process's group, so that Ctrl-C reaches it too.
class SpawnSetup {
 public:
  SpawnSetup(const ChildCommand& command, int in, int out, int err) {
    ::posix_spawn_file_actions_init(&files_);
    ::posix_spawnattr_init(&attributes_);
    if (!command.directory.empty())
      ::posix_spawn_file_actions_addchdir_np(&files_, command.directory.c_str());
    ::posix_spawn_file_actions_adddup2(&files_, in, STDIN_FILENO);
    ::posix_spawn_file_actions_adddup2(&files_, out, STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(&files_, err, STDERR_FILENO);
    sigset_t none, ignored;  // Ignored: here, and not by the command.
    ::sigemptyset(&none);
    ::sigemptyset(&ignored);
    ::sigaddset(&ignored, SIGPIPE);
    ::sigaddset(&ignored, SIGXFSZ);
    ::posix_spawnattr_setsigmask(&attributes_, &none);
    ::posix_spawnattr_setsigdefault(&attributes_, &ignored);
    ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  ~SpawnSetup() {
    ::posix_spawn_file_actions_destroy(&files_);
    ::posix_spawnattr_destroy(&attributes_);
  }
  SpawnSetup(const SpawnSetup&) = delete;
  SpawnSetup& operator=(const SpawnSetup&) = delete;

  const posix_spawn_file_actions_t* files() const { return &files_; }
  const posix_spawnattr_t* attributes() const { return &attributes_; }

 private:
  posix_spawn_file_actions_t files_;
  posix_spawnattr_t attributes_;
};

/// Keeps SIGPIPE from this thread, so that a command that closes its stdin is an error number and
/// not the end of the process; whoever embeds the engine may want the signal otherwise.
class PipeSignalShield {
 public:
  PipeSignalShield() {
    ::sigemptyset(&pipe_);
    ::sigaddset(&pipe_, SIGPIPE);
    sigset_t pending;
    ::sigpending(&pending);
    was_pending_ = ::sigismember(&pending, SIGPIPE) == 1;
    ::pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  ~PipeSignalShield() {
    const timespec now = {};
    if (raised_ && !was_pending_)
      while (::sigtimedwait(&pipe_, nullptr, &now) < 0 && errno == EINTR) {
      }
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  PipeSignalShield(const PipeSignalShield&) = delete;
  PipeSignalShield& operator=(const PipeSignalShield&) = delete;
  void set_raised() { raised_ = true; }

 private:
  sigset_t pipe_, before_;
  bool was_pending_ = false;
  bool raised_ = false;
};

/// A process with its descendants, itself last. They stay in this process's group, and nobody else
/// knows of them.
void ListTree(pid_t pid, std::vector<pid_t>* tree) {
  const std::string path =
      "/proc/" + std::to_string(pid) + "/task/" + std::to_string(pid) + "/children";
  std::ifstream children(path);
  for (pid_t child; children >> child;) ListTree(child, tree);
  tree->push_back(pid);
}

/// The commands that run now. One whose task hangs has nobody who ends it before the process ends.
class RunningCommands {
 public:
  static RunningCommands& Get() {
    static RunningCommands* const commands = new RunningCommands;  // Threads may outlive main.
    static const AtExit at_exit{commands};
    return *commands;
  }
  void Add(pid_t pid) {
    const std::lock_guard lock(mutex_);
    pids_.insert(pid);
  }
  void Remove(pid_t pid) {
    const std::lock_guard lock(mutex_);
    pids_.erase(pid);
  }

  static void Kill(pid_t pid) {
    std::vector<pid_t> tree;
    ListTree(pid, &tree);
    for (const pid_t each : tree) ::kill(each, SIGKILL);
  }

 private:
  struct AtExit {
    RunningCommands* commands;
    ~AtExit() {
      const std::lock_guard lock(commands->mutex_);
      for (const pid_t pid : commands->pids_) Kill(pid);
    }
  };

  std::mutex mutex_;
  std::set<pid_t> pids_;
};

std::vector<char*> Pointers(const std::vector<std::string>& words, char** more) {
  std::vector<char*> pointers;
  for (const std::string& word : words) pointers.push_back(const_cast<char*>(word.c_str()));
  for (; more != nullptr && *more != nullptr; ++more) pointers.push_back(*more);
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

struct ChildPipe::State {
  pid_t pid = 0;  ///< 0 when it was waited for.
  UniqueFd in, out, err;
  Sink output, errors;
  std::unique_ptr<char[]> buffer = std::make_unique<char[]>(kReadBytes + SPILLWAY_PADDING_BYTES);

  /// One read, if there is something; closes the pipe at its end.
  Status Read(UniqueFd& pipe, const Sink& sink) {
    const ssize_t got = ::read(pipe.get(), buffer.get(), kReadBytes);
    if (got > 0) return sink({buffer.get(), static_cast<std::size_t>(got)});
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return OkStatus();
    pipe.Reset();
    return OkStatus();
  }
};

ChildPipe::ChildPipe(std::unique_ptr<State> state) : state_(std::move(state)) {}

Result<std::unique_ptr<ChildPipe>> ChildPipe::Start(const ChildCommand& command, Sink output,
                                                    Sink errors) {
  struct stat info;
  if (!command.directory.empty() && ::stat(command.directory.c_str(), &info) != 0)
    return NotFound("the directory '" + command.directory +
                    "' of the command is not there: " + std::strerror(errno));
  SPILLWAY_ASSIGN_OR_RETURN(Pipe in, MakePipe(true));
  SPILLWAY_ASSIGN_OR_RETURN(Pipe out, MakePipe(false));
  SPILLWAY_ASSIGN_OR_RETURN(Pipe err, MakePipe(false));
  const SpawnSetup setup(command, in.reading.get(), out.writing.get(), err.writing.get());
  const std::vector<std::string> words = {"/bin/sh", "-c", command.text};
  // The first of two variables with one name is the one that a process sees.
  const std::vector<char*> environment = Pointers(command.variables, environ);
  auto state = std::make_unique<State>();
  const int error = ::posix_spawn(&state->pid, "/bin/sh", setup.files(), setup.attributes(),
                                  Pointers(words, nullptr).data(), environment.data());
  if (error != 0) {
    state->pid = 0;
    return ResourceExhausted("no process for the command '" + command.text +
                             "': " + std::strerror(error));
  }
  RunningCommands::Get().Add(state->pid);
  state->in = std::move(in.writing);
  state->out = std::move(out.reading);
  state->err = std::move(err.reading);
  state->output = std::move(output);
  state->errors = std::move(errors);
  return std::unique_ptr<ChildPipe>(new ChildPipe(std::move(state)));
}

ChildPipe::~ChildPipe() {
  if (state_->pid == 0) return;
  state_->in.Reset();
  state_->out.Reset();
  RunningCommands::Kill(state_->pid);
  // Its number is its own until it was waited for.
  RunningCommands::Get().Remove(state_->pid);
  while (::waitpid(state_->pid, nullptr, 0) < 0 && errno == EINTR) {
  }
}

/// Until something can be written or was read.
Status ChildPipe::Wait() {
  pollfd polled[3] = {{state_->in.get(), POLLOUT, 0},
                      {state_->out.get(), POLLIN, 0},
                      {state_->err.get(), POLLIN, 0}};  // poll passes over closed ones: -1.
  if (::poll(polled, 3, -1) < 0 && errno != EINTR) return SystemError("a command is not heard");
  if (polled[2].revents != 0) SPILLWAY_RETURN_IF_ERROR(state_->Read(state_->err, state_->errors));
  if (polled[1].revents != 0) SPILLWAY_RETURN_IF_ERROR(state_->Read(state_->out, state_->output));
  return OkStatus();
}

Status ChildPipe::Write(std::string_view bytes) {
  PipeSignalShield shield;
  while (!bytes.empty() && state_->in.valid()) {
    const ssize_t put = ::write(state_->in.get(), bytes.data(), bytes.size());
    if (put >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(put));
    } else if (errno == EPIPE) {
      shield.set_raised();
      state_->in.Reset();
    } else if (errno == EAGAIN) {
      SPILLWAY_RETURN_IF_ERROR(Wait());
    } else if (errno != EINTR) {
      return SystemError("a command cannot be written to");
    }
  }
  return OkStatus();
}

Result<int> ChildPipe::Finish() {
  state_->in.Reset();
  while (state_->out.valid() || state_->err.valid()) SPILLWAY_RETURN_IF_ERROR(Wait());
  // Its number is its own until it was waited for, and it may not end by itself before that.
  siginfo_t ended;
  while (::waitid(P_PID, static_cast<id_t>(state_->pid), &ended, WEXITED | WNOWAIT) < 0 &&
         errno == EINTR) {
  }
  RunningCommands::Get().Remove(state_->pid);
  int status = 0;
  while (::waitpid(state_->pid, &status, 0) < 0 && errno == EINTR) {
  }
  state_->pid = 0;
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace spillway
