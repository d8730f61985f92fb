// Crash reports: when user code raises a signal or calls exit, the process cannot go on, but the
// user is told which record of which file it was at. CrashScope marks the stretches of a thread
// that run user code. The handlers only use async-signal-safe calls.
//
// A process whose job ends with it prints the report. A process that runs attempts for another one
// leaves it on a SlotBoard instead and dies quietly.
#pragma once

#include "mapreduce/abi.h"
#include "runtime/core/attempt_id.h"
#include "runtime/task/slot_board.h"

namespace spillway {

/// Where a thread is in user code. Plain data that a signal handler may read.
struct CrashScene {
  const spillway_task* task = nullptr;
  const char* kind = "";  ///< "map" or "reduce".
  const char* user_class = "";
  const spillway_block* block = nullptr;  ///< The block being mapped, or null.
  spillway_groups groups{};               ///< The batch being reduced.
};

/// Makes `scene` the thread's current one; the one before comes back at the end. Null: host code,
/// called back from user code.
class CrashScope {
 public:
  explicit CrashScope(const CrashScene* scene);
  ~CrashScope();
  CrashScope(const CrashScope&) = delete;
  CrashScope& operator=(const CrashScope&) = delete;

 private:
  const CrashScene* const outer_;
};

/// Shows on the board, from construction to destruction, that this thread runs the attempt in
/// `slot`. Null: there is no board.
class SlotScope {
 public:
  SlotScope(BoardSlot* slot, const AttemptId& attempt);
  ~SlotScope();
  SlotScope(const SlotScope&) = delete;
  SlotScope& operator=(const SlotScope&) = delete;
};

/// Tells the handlers that `address` lies in the code of the plugin `path`, which stays loaded:
/// a crash there outside of any scope (a comparator that the engine calls) is reported as the
/// plugin's. `path` must stay valid.
void RegisterPluginCode(const void* address, const char* path);

/// Installs handlers for the signals of a crash and for exit() from user code, once per process.
/// After the report the process ends with `exit_code`. A crash outside of user code keeps the
/// signal's default action.
void InstallCrashReports(int exit_code);

/// While one exists, crashes and exits are written to `board` instead of being reported, whatever
/// code they come from, and the process ends by the signal, or with kExitedExitCode. One at a time.
class CrashRecorder {
 public:
  static constexpr int kExitedExitCode = 70;
  explicit CrashRecorder(SlotBoard& board);
  ~CrashRecorder();
  CrashRecorder(const CrashRecorder&) = delete;
  CrashRecorder& operator=(const CrashRecorder&) = delete;
};

}  // namespace spillway
