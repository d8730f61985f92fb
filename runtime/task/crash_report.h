// Crash reports: when user code raises a signal or calls exit, the process cannot go on, but the
// user is told which record of which file it was at. CrashScope marks the stretches of a thread
// that run user code. The handlers only use async-signal-safe calls.
#pragma once

#include "mapreduce/abi.h"

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

/// Tells the handlers that `address` lies in the code of the plugin `path`, which stays loaded:
/// a crash there outside of any scope (a comparator that the engine calls) is reported as the
/// plugin's. `path` must stay valid.
void RegisterPluginCode(const void* address, const char* path);

/// Installs handlers for the signals of a crash and for exit() from user code, once per process.
/// After the report the process ends with `exit_code`. A crash outside of user code keeps the
/// signal's default action.
void InstallCrashReports(int exit_code);

}  // namespace spillway
