// The exit codes of the spillway command: those of sysexits.h, plus 128 + signal as in a shell.
// Scripts decide by them, so a code never changes its meaning. Pure.
#pragma once

#include "mapreduce/base/status.h"

namespace spillway {

enum ExitCode : int {
  kExitDone = 0,
  kExitJobFailed = 1,     ///< The job's own code failed.
  kExitUsage = 64,        ///< The command line is wrong.
  kExitBadData = 65,      ///< A malformed record, plugin or journal.
  kExitNoInput = 66,      ///< An input or a plugin is missing.
  kExitUnreachable = 69,  ///< The cluster does not answer.
  kExitInternal = 70,     ///< A bug of ours.
  kExitOutputExists = 73,
  kExitDisk = 74,  ///< Full, failing or damaged storage; or another limit was met.
  kExitTryAgain = 75,
  kExitDiffers = 76,  ///< Two ways that must give the same bytes did not.
  kExitNotAllowed = 77,
  kExitConfiguration = 78,  ///< A bad value or key in a configuration file or the environment.
};

inline constexpr int kExitSignalBase = 128;

/// What the process answers for `status`. `signal` is the one that asked to stop, or 0: it decides
/// between 130 (SIGINT) and 143 (SIGTERM) when the status is Cancelled.
int ExitCodeOf(const Status& status, int signal = 0);

}  // namespace spillway
