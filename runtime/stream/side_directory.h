// SideDirectory: where the commands of one attempt run when their job has side files: a directory
// of its own that holds the files under their names, as Hadoop's -files. Removed with the object;
// a process that is killed leaves some links in the system's temporary directory. One thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "mapreduce/abi.h"
#include "mapreduce/base/status.h"

namespace spillway {

class SideDirectory {
 public:
  /// Files are links to those of the task, but for programs that may not be executed where they
  /// lie: those are copied. NotFound for a name that the job was given no file for.
  static Result<std::unique_ptr<SideDirectory>> Make(spillway_task* task,
                                                     const std::vector<std::string>& names);
  ~SideDirectory();
  SideDirectory(const SideDirectory&) = delete;
  SideDirectory& operator=(const SideDirectory&) = delete;

  const std::string& path() const { return path_; }

 private:
  explicit SideDirectory(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

}  // namespace spillway
