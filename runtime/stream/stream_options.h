// StreamOptions: the commands of a streaming job, as `spillway stream` hands them to the plugin:
// --mapper=CMD [--combiner=CMD] [--reducer=CMD] [--directory=DIR]. A value; no thread affinity.
#pragma once

#include <string>

#include "mapreduce/base/status.h"
#include "mapreduce/task_context.h"

namespace spillway {

struct StreamOptions {
  std::string mapper;
  std::string combiner;  ///< "": none.
  std::string reducer;   ///< "": the sorted lines themselves.
  bool map_only = false;
  std::string directory;  ///< Where the commands run, on every host; "": where the task runs.
};

/// The reducer that means "no reduce phase", as in Hadoop.
inline constexpr std::string_view kNoReducer = "NONE";

/// InvalidArgument for unknown words, a missing mapper, and a combiner of a job that sorts nothing.
Result<StreamOptions> ReadStreamOptions(const Args& args);

}  // namespace spillway
