#include "runtime/worker/executor_process.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "runtime/core/scheduler.h"
#include "runtime/storage/posix_error.h"
#include "runtime/worker/attempt_run.h"
#include "runtime/worker/executor.h"

extern char** environ;

namespace spillway {

namespace {

constexpr int kBoardFd = 3;  // In the executor.

/// posix_spawn's two lists of what to do before the program starts.
class SpawnPlan {
 public:
  SpawnPlan() {
    ::posix_spawn_file_actions_init(&files);
    ::posix_spawnattr_init(&attributes);
    // A group of its own, so that Ctrl-C at the daemon's terminal is the daemon's to handle, and
    // none of the daemon's own ideas about signals.
    sigset_t none, all;
    ::sigemptyset(&none);
    ::sigfillset(&all);
    ::posix_spawnattr_setpgroup(&attributes, 0);
    ::posix_spawnattr_setsigmask(&attributes, &none);
    ::posix_spawnattr_setsigdefault(&attributes, &all);
    ::posix_spawnattr_setflags(
        &attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    ::posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  }
  ~SpawnPlan() {
    ::posix_spawn_file_actions_destroy(&files);
    ::posix_spawnattr_destroy(&attributes);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;

  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
};

/// "by SIGKILL ..." or "_exit(3)": how the process ended, as something that a task suffered or did.
std::string WhatOf(const SlotBoard& board, int wait_status, std::size_t suspects) {
  const std::string crash = board.ReadProcessCrash();
  const std::string beside = suspects > 1 ? " (or a task beside it did)" : "";
  if (!crash.empty()) return crash + " on a thread of its own" + beside;
  if (WIFEXITED(wait_status))
    return "ended the process by _exit(" + std::to_string(WEXITSTATUS(wait_status)) + ")" + beside;
  const int signal = WTERMSIG(wait_status);
  if (signal == SIGKILL)
    return "was killed with its process (SIGKILL: by hand, or because the machine's memory ended)";
  const char* const name = ::sigabbrev_np(signal);
  return "was killed with its process by signal " + std::to_string(signal) +
         (name == nullptr ? "" : std::string(" (SIG") + name + ")");
}

constexpr const char* kAdvice =
    ". Run the plugin on this record under a debugger or with -fsanitize=address";

std::string HowText(int wait_status) {
  if (WIFEXITED(wait_status))
    return "the executor ended with exit code " + std::to_string(WEXITSTATUS(wait_status));
  return std::string("the executor was ended by signal ") + ::strsignal(WTERMSIG(wait_status));
}

}  // namespace

std::vector<wire::Message> JudgeExecutorEnd(const SlotBoard& board, int wait_status,
                                            FileSystem& files) {
  std::vector<wire::Message> ends;
  std::vector<SlotReport> running, in_user_code;
  for (std::uint32_t i = 0; i < board.slots(); ++i) {
    const auto report = board.Read(i);
    if (!report.has_value()) continue;
    if (report->crashed) {
      // What crashed outside of the plugin's code is our bug, and may go well on another try.
      const Code code = report->user_class == kEngineClass ? Code::kAborted : Code::kUserCode;
      const std::string text = SlotText(*report, report->what, files) + kAdvice;
      ends.push_back(FailedAttempt(report->attempt, Status(code, text), report->record).answer);
    }
    running.push_back(*report);
    if (report->in_user_code) in_user_code.push_back(*report);
  }
  if (!ends.empty()) return ends;
  const std::vector<SlotReport>& suspects = in_user_code.empty() ? running : in_user_code;
  const std::string what = WhatOf(board, wait_status, suspects.size());
  // Only a process that ended by itself, with one task in user code, has a culprit for certain.
  const bool certain = WIFEXITED(wait_status) && in_user_code.size() == 1;
  for (const SlotReport& report : suspects) {
    const Status status(certain ? Code::kUserCode : Code::kAborted, SlotText(report, what, files));
    ends.push_back(FailedAttempt(report.attempt, status, report.record).answer);
  }
  return ends;
}

Result<std::unique_ptr<ExecutorProcess>> ExecutorProcess::Start(
    const ExecutorProcessOptions& options) {
  SPILLWAY_ASSIGN_OR_RETURN(auto board, SlotBoard::Create(options.slots * kGangTasksPerSlotMax));
  SpawnPlan plan;
  // First the output, which may have the number that the board is to get.
  if (options.output_fd >= 0) {
    ::posix_spawn_file_actions_adddup2(&plan.files, options.output_fd, STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(&plan.files, options.output_fd, STDERR_FILENO);
  }
  ::posix_spawn_file_actions_adddup2(&plan.files, board->fd(), kBoardFd);
  std::vector<std::string> words = {"spillway",
                                    "executor",
                                    "--endpoint=" + options.endpoint,
                                    "--job=" + std::to_string(options.job),
                                    "--board-fd=" + std::to_string(kBoardFd),
                                    "--parent=" + std::to_string(::getpid())};
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  pid_t pid = 0;
  const int error = ::posix_spawn(&pid, options.program.c_str(), &plan.files, &plan.attributes,
                                  argv.data(), environ);
  if (error != 0) return PosixError(error, "start", options.program);
  UniqueFd end_fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  const int pidfd_error = errno;
  const bool watched = end_fd.valid();
  std::unique_ptr<ExecutorProcess> process(
      new ExecutorProcess(std::move(board), pid, std::move(end_fd)));
  if (!watched) return PosixError(pidfd_error, "watch", "a process");
  return process;
}

ExecutorProcess::~ExecutorProcess() {
  if (reaped_) return;
  Kill();
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

void ExecutorProcess::Kill() {
  if (reaped_) return;
  // When it has ended by itself just before, that is what counts.
  pollfd ended{end_fd_.get(), POLLIN, 0};
  if (end_fd_.valid() && ::poll(&ended, 1, 0) > 0) return;
  killed_ = true;
  ::kill(-pid_, SIGKILL);  // With what user code has started.
  ::kill(pid_, SIGKILL);
}

std::optional<ExecutorEnd> ExecutorProcess::Reap(FileSystem& files) {
  if (reaped_) return std::nullopt;
  siginfo_t ended{};
  if (::waitid(P_PID, static_cast<id_t>(pid_), &ended, WEXITED | WNOHANG | WNOWAIT) != 0 ||
      ended.si_pid != pid_)
    return std::nullopt;
  // What user code has started goes with it: now, while the group's number is still its own.
  ::kill(-pid_, SIGKILL);
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  reaped_ = true;
  ExecutorEnd end;
  end.how = HowText(status);
  end.expected = killed_ || board_->finished();
  if (!end.expected) end.ends = JudgeExecutorEnd(*board_, status, files);
  return end;
}

}  // namespace spillway
