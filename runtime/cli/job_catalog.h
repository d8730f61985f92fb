// The built-in jobs: the plugins that lie in the installation's plugin directory. The directory is
// the list; nothing else names them.
#pragma once

#include <string>
#include <vector>

#include "mapreduce/base/status.h"

namespace spillway {

struct BuiltinJob {
  std::string name;  ///< The file's name without ".so".
  std::string path;
};

/// Sorted by name. Empty when the directory is missing.
std::vector<BuiltinJob> ListBuiltinJobs(const std::string& plugin_dir);

/// The plugin's path for a word on the command line: a word with a slash or ending in ".so" is a
/// path already, any other is a built-in job's name. The result always has a slash, so that the
/// loader looks there and nowhere else. InvalidArgument, with the likely name, when
/// there is no such job.
Result<std::string> ResolveJob(const std::string& word, const std::string& plugin_dir);

}  // namespace spillway
