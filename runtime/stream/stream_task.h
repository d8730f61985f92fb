// StreamTask: one attempt of a streaming task: a command, fed with blocks of lines or with groups,
// and what it writes given to the host. One thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "mapreduce/abi.h"
#include "mapreduce/base/status.h"
#include "runtime/stream/child_pipe.h"
#include "runtime/stream/reporter_lines.h"
#include "runtime/stream/side_directory.h"
#include "runtime/stream/stream_lines.h"
#include "runtime/stream/stream_options.h"

namespace spillway {

enum class StreamRole { kMapper, kCombiner, kReducer };

class StreamTask {
 public:
  /// Both outlive the task.
  StreamTask(spillway_task* task, const StreamOptions& options, StreamRole role);

  /// Starts the command; a mapper's waits for its input where it is to know the file's name.
  Status Start();

  /// A mapper's input. A last line without newline gets one: the next file follows.
  Status FeedBlock(const spillway_block& block);

  /// All groups of the host, as lines: a combiner's or reducer's input.
  Status FeedGroups();

  /// The command's end, after a start if there was none. With the last words of its stderr when it
  /// was not 0: UserCode, or, where another attempt cannot help, NotFound for 127 and
  /// PermissionDenied for 126, by which shells tell that there is no such command or that it cannot
  /// be executed.
  Status Finish();

 private:
  const std::string& command() const;
  const char* role_name() const;
  Status Launch(const spillway_block* first);
  Status EndRun();
  Status FeedLines(const spillway_block& block);
  Status TakeOutput(std::string_view bytes);
  Status Collect(const spillway_record* records, std::size_t count);
  void Count(const std::string& group, const std::string& name, std::uint64_t amount);
  Status EndedWith(int exit_code) const;

  spillway_task* const task_;
  const StreamOptions& options_;
  const StreamRole role_;
  StreamLines lines_;
  ReporterLines reporter_;
  std::unique_ptr<SideDirectory> side_directory_;  ///< Null: the job has no side files.
  std::unique_ptr<ChildPipe> pipe_;                ///< Null between two runs of the command.
  std::uint32_t file_index_ = 0;
  std::uint64_t run_lines_ = 0;  ///< That the command was given, where they are counted.
};

/// The reducer of a job without one: the sorted lines as they are.
Status WriteGroups(spillway_task* task, const StreamOptions& options);

}  // namespace spillway
