// InputFiles: what the user named as input, as a list of regular files. Pure but for what it asks
// of the FileSystem; call it from any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "mapreduce/base/file_system.h"
#include "runtime/storage/partition_filter.h"

namespace spillway {

struct FoundFile {
  std::string path;
  FileInfo info;  ///< As listed: a file that differs when it is read has changed during the job.
  std::uint32_t input = 0;  ///< Of the job's, where they have names.
};

struct InputListing {
  std::vector<FoundFile> files;
  /// Directories named `key=value` that a condition was about.
  std::uint64_t partitions_read = 0, partitions_passed_over = 0;
};

/// Whether a pattern has found a name that is passed over in directories, such as `_SUCCESS`, and
/// does not begin as that does.
bool IsHiddenMatch(std::string_view path, std::string_view pattern);

/// Expands files, directories (all files below, by name; names that begin with '.' or '_' are
/// passed over, as Hadoop does, also where a glob finds them) and globs, in the order given. A file
/// that a directory leads to twice, by a link, is listed once. A directory without files is a
/// problem, unless it is the output of a job. All problems are listed in one NotFound (missing,
/// unreadable, no file, empty glob), or InvalidArgument (a file named twice).
///
/// Directories that do not fit `where` are not listed; that goes for those in the paths that were
/// given, too. InvalidArgument for a file that lies below no directory of a key that `where` names,
/// NotFound when nothing fits.
Result<InputListing> ListInputFiles(FileSystem& files, const std::vector<std::string>& inputs,
                                    const PartitionFilter& where = {});

}  // namespace spillway
