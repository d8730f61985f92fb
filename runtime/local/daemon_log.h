// DaemonLog: where a daemon writes what happened: stderr or a file, a line each with the time.
// Thread-safe.
#pragma once

#include <memory>
#include <string>

#include "mapreduce/base/status.h"

namespace spillway {

class DaemonLog {
 public:
  /// `path` empty: stderr. `who` begins each line. Errors of opening the file.
  static Result<std::unique_ptr<DaemonLog>> Open(const std::string& path, const std::string& who);
  ~DaemonLog();

  void Write(const std::string& line);

 private:
  struct State;
  explicit DaemonLog(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace spillway
