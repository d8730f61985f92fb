// The executor process: runs the user code of one job on one worker, so that what happens to it
// happens to nobody else. It belongs to the worker's daemon, which it talks with over ipc, and goes
// with it.
#pragma once

#include <cstdint>
#include <string>

namespace spillway {

struct ExecutorOptions {
  std::string endpoint;  ///< The daemon's, "ipc:///...".
  std::uint64_t job = 0;
  int board_fd = -1;        ///< A SlotBoard.
  std::int64_t parent = 0;  ///< The daemon's process id.
};

/// The exit code of an executor that gave itself up because user code hangs. What it had to say
/// was said.
inline constexpr int kExecutorStuckExitCode = 71;

/// Says ExecutorReady, is told ExecutorSetup, says ExecutorReady with a status when the job cannot
/// run here, and works until ExecutorExit. Ends the process itself: the plugin's static destructors
/// are user code, too, and nothing waits for them.
[[noreturn]] void RunExecutor(const ExecutorOptions& options);

}  // namespace spillway
