// WorkDirectory: where jobs that are run one after the other for one output leave what is read by
// those that follow: .NAME.spillway-work-PID-N beside the output directory NAME, on the same file
// system, so that whoever can write the output can read it. Marked as this process's: when the
// process is killed, the next job for the same output removes it (output_staging.h). One thread.
#pragma once

#include <memory>
#include <string>

#include "mapreduce/base/file_system.h"

namespace spillway {

class WorkDirectory {
 public:
  /// `files` outlives the directory.
  static Result<std::unique_ptr<WorkDirectory>> Create(FileSystem& files,
                                                       const std::string& output_dir);

  /// Removes it with all that is in it.
  ~WorkDirectory();

  const std::string& path() const { return path_; }

 private:
  WorkDirectory(FileSystem& files, std::string path) : files_(files), path_(std::move(path)) {}

  FileSystem& files_;
  const std::string path_;
};

}  // namespace spillway
