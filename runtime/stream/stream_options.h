// StreamOptions: the commands of a streaming job, as `spillway stream` hands them to the plugin:
// --mapper=CMD [--combiner=CMD] [--reducer=CMD] [--directory=DIR] [--side-file=NAME]..., and what
// jobs written for Hadoop ask for beyond that. A value; no thread affinity.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mapreduce/base/status.h"
#include "mapreduce/task_context.h"
#include "runtime/stream/key_fields.h"
#include "runtime/stream/stream_lines.h"

namespace spillway {

struct StreamOptions {
  std::string mapper;
  std::string combiner;  ///< "": none.
  std::string reducer;   ///< "": the sorted lines themselves.
  bool map_only = false;
  std::string directory;  ///< Where the commands run, on every host; "": here.
  /// Names of side files. With some, commands run in a directory of their own that holds them.
  std::vector<std::string> side_files;
  std::vector<std::string> variables;  ///< --variable=NAME=VALUE: of their environment.

  /// --key-separator=BYTE, --key-fields=N, --order-by=FIELDS.
  LineKeys keys;
  /// --partition-by=FIELDS: by Hadoop's hash of these fields, and not of the whole key.
  std::optional<KeyFields> partition;

  /// --hadoop: a mapper runs once for each file and knows its name; reducers and combiners always
  /// find a TAB behind the key.
  bool hadoop = false;
  /// --offsets: each input line stands behind its offset and a TAB. --input-tabs: each has a TAB.
  bool offsets = false, input_tabs = false;
  std::uint64_t lines_per_run = 0;  ///< --lines-per-run=N: a mapper runs for so many; 0: for all.
};

/// The reducer that means "no reduce phase", as in Hadoop.
inline constexpr std::string_view kNoReducer = "NONE";

/// InvalidArgument for unknown words, a missing mapper, and a combiner of a job that sorts nothing.
Result<StreamOptions> ReadStreamOptions(const Args& args);

}  // namespace spillway
