// ChildPipe: a command of the user's between two pipes. What is written to it goes to its stdin;
// what it writes meanwhile is handed to sinks, so that neither side waits for the other however
// much each of them writes. One thread.
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "mapreduce/base/status.h"

namespace spillway {

struct ChildCommand {
  std::string text;                    ///< For /bin/sh -c.
  std::string directory;               ///< Where it runs; "" for here.
  std::vector<std::string> variables;  ///< NAME=VALUE, added to this process's environment.
};

class ChildPipe {
 public:
  /// Takes bytes as they come. A failure of it ends the call that it came from.
  /// SPILLWAY_PADDING_BYTES behind them are readable.
  using Sink = std::function<Status(std::string_view bytes)>;

  /// Starts the command. NotFound when the directory is missing, ResourceExhausted when no process
  /// can be made.
  static Result<std::unique_ptr<ChildPipe>> Start(const ChildCommand& command, Sink output,
                                                  Sink errors);
  /// Kills the command if it has not ended, with all that it has started. So does the end of this
  /// process, where a thread still waits for it.
  ~ChildPipe();
  ChildPipe(const ChildPipe&) = delete;
  ChildPipe& operator=(const ChildPipe&) = delete;

  /// Writes all of `bytes`, unless the command has closed its stdin: it has read enough then, as
  /// `head` has, and the rest is dropped.
  Status Write(std::string_view bytes);

  /// Closes stdin, takes the rest of the output and waits for the end. What the command answered:
  /// its exit code, or 128 + signal.
  Result<int> Finish();

 private:
  struct State;
  explicit ChildPipe(std::unique_ptr<State> state);
  Status Wait();
  std::unique_ptr<State> state_;
};

}  // namespace spillway
