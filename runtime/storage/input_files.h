// InputFiles: what the user named as input, as a list of regular files. Pure but for what it asks
// of the FileSystem; call it from any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "mapreduce/base/file_system.h"

namespace spillway {

struct FoundFile {
  std::string path;
  FileInfo info;  ///< As listed: a file that differs when it is read has changed during the job.
  std::uint32_t input = 0;  ///< Of the job's, where they have names.
};

/// Expands files, directories (all files below, by name; names that begin with '.' or '_' are
/// passed over, as Hadoop does) and globs, in the order given. A file that a directory leads to
/// twice, by a link, is listed once. All problems are listed in one NotFound (missing, unreadable,
/// no file, empty glob), or InvalidArgument (a file named twice).
Result<std::vector<FoundFile>> ListInputFiles(FileSystem& files,
                                              const std::vector<std::string>& inputs);

}  // namespace spillway
