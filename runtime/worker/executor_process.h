// ExecutorProcess: an executor (executor.h) as its worker's daemon sees it: started, killed,
// reaped, and after its end held responsible. Its SlotBoard tells which attempts it was running and
// at which record, whatever way it ended. One thread, and one that lives as long as the process:
// the executor dies with the thread that started it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "mapreduce/base/file_system.h"
#include "runtime/protocol/spillway.pb.h"
#include "runtime/storage/unique_fd.h"
#include "runtime/task/slot_board.h"

namespace spillway {

struct ExecutorProcessOptions {
  std::string program = "/proc/self/exe";  ///< That knows the subcommand `executor`.
  std::string endpoint;                    ///< Of the daemon, over ipc.
  std::uint64_t job = 0;
  std::uint32_t slots = 1;
  int output_fd = -1;  ///< Takes what user code prints; -1: as this process.
};

/// How an executor ended.
struct ExecutorEnd {
  /// AttemptFailed of those that user code ended the process with: of the one that did it, or, when
  /// nobody can know, of all that were in user code. All others that it had are innocent.
  std::vector<wire::Message> ends;
  std::string how;        ///< "the executor was killed (SIGKILL)", for the log.
  bool expected = false;  ///< It was told to end, or killed by Kill.
};

class ExecutorProcess {
 public:
  static Result<std::unique_ptr<ExecutorProcess>> Start(const ExecutorProcessOptions& options);

  /// Kills it, and waits for the kernel to have done so.
  ~ExecutorProcess();
  ExecutorProcess(const ExecutorProcess&) = delete;
  ExecutorProcess& operator=(const ExecutorProcess&) = delete;

  pid_t pid() const { return pid_; }
  /// Readable once the process has ended; for Poller::AddFd.
  int end_fd() const { return end_fd_.get(); }

  /// Ends it now. No attempt is to blame for that.
  void Kill();

  /// Nothing while it runs; its end, once. `files` is where records are read for messages.
  std::optional<ExecutorEnd> Reap(FileSystem& files);

  const SlotBoard& board() const { return *board_; }

 private:
  ExecutorProcess(std::unique_ptr<SlotBoard> board, pid_t pid, UniqueFd end_fd)
      : board_(std::move(board)), pid_(pid), end_fd_(std::move(end_fd)) {}

  const std::unique_ptr<SlotBoard> board_;
  const pid_t pid_;
  const UniqueFd end_fd_;
  bool killed_ = false;
  bool reaped_ = false;
};

/// What the board of a process tells that ended with this `wait_status` (waitpid) unexpectedly.
std::vector<wire::Message> JudgeExecutorEnd(const SlotBoard& board, int wait_status,
                                            FileSystem& files);

}  // namespace spillway
