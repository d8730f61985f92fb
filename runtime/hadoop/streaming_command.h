// StreamingCommand: the `spillway run stream` that does what a Hadoop Streaming job asks for. One
// thread.
#pragma once

#include <string>
#include <vector>

#include "mapreduce/base/status.h"
#include "runtime/hadoop/hadoop_paths.h"
#include "runtime/hadoop/streaming_words.h"
#include "runtime/hadoop/task_directory.h"

namespace spillway {

/// The files and directories of -input. NotFound for what is not there, InvalidArgument for
/// compressed files, whose bytes a mapper would not understand.
Result<std::vector<std::string>> StreamingInputs(const StreamingWords& job,
                                                 const HadoopPaths& paths);

struct StreamingPlaces {
  std::vector<std::string> inputs;
  std::string output;
  std::string directory;                          ///< Where commands run.
  const TaskDirectory* task_directory = nullptr;  ///< Null: nothing is shipped.
  std::string job_id;
};

/// The words behind `spillway`. InvalidArgument for what is not served.
Result<std::vector<std::string>> StreamingCommand(const StreamingWords& job,
                                                  const StreamingPlaces& places);

}  // namespace spillway
