#include "runtime/cli/exit_code.h"

#include <csignal>

namespace spillway {

int ExitCodeOf(const Status& status, int signal) {
  switch (status.code()) {
    case Code::kOk: return kExitDone;
    case Code::kInvalidArgument: return kExitUsage;
    case Code::kNotFound: return kExitNoInput;
    case Code::kAlreadyExists: return kExitOutputExists;
    case Code::kUnavailable: return kExitTryAgain;
    case Code::kAborted: return kExitJobFailed;
    case Code::kDataLoss: return kExitDisk;
    case Code::kResourceExhausted: return kExitDisk;
    case Code::kUserCode: return kExitJobFailed;
    case Code::kCancelled: return kExitSignalBase + (signal != 0 ? signal : SIGINT);
    case Code::kPermissionDenied: return kExitNotAllowed;
    case Code::kBadData: return kExitBadData;
    case Code::kInternal: return kExitInternal;
  }
  return kExitInternal;
}

}  // namespace spillway
