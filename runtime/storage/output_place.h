// Where a job may put its output: whether something is in the way, and whether what is there may be
// replaced. Asked when a job is prepared, when its output is staged, and again in the moment before
// anything is replaced, since the job may have taken hours. Any thread.
#pragma once

#include <string>

#include "mapreduce/base/file_system.h"

namespace spillway {

inline constexpr const char* kManifestName = "_manifest.json";
inline constexpr const char* kSuccessName = "_SUCCESS";

enum class Overwrite {
  kNothing,      ///< The output must not be there.
  kWhole,        ///< An output that is there goes as a whole.
  kDirectories,  ///< Only directories of it go, which directory_exchange.h looks at.
};

/// AlreadyExists: something is at `output_dir` that is not replaced so. What may be is a directory
/// that a job has written, with all that is in it; but an output of ours only when each directory
/// in it that has files is marked as well. Never a link or a file. Ok when nothing is there.
Status CheckOutputPlace(FileSystem& files, const std::string& output_dir, Overwrite overwrite);

/// A job has written the directory: it has a manifest or a _SUCCESS, by which outputs of Hadoop and
/// Spark are known as well.
bool IsJobOutput(FileSystem& files, const std::string& directory);

/// The output's marker counts for each directory in it, as Hadoop and Spark mean it. Jobs of ours
/// mark each that they write, and put them beside others in an output that is there: their manifest
/// says nothing of those.
bool MarksAllBelow(FileSystem& files, const std::string& output);

/// Nothing is in the directory but what jobs of ours have left in it that are dead.
Result<bool> IsVacant(FileSystem& files, const std::string& directory);

}  // namespace spillway
