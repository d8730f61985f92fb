// TaskDirectory: the directory in which the commands of a job run, with the files and archives that
// the job was given under their names. It lies beside the output, where every host of a cluster
// that can write the output can read it, under a name that no input expands to. Removed with the
// object. One thread.
#pragma once

#include <memory>
#include <string>

#include "mapreduce/base/status.h"
#include "runtime/hadoop/hadoop_paths.h"
#include "runtime/hadoop/streaming_words.h"

namespace spillway {

class TaskDirectory {
 public:
  /// `output` is the job's, whose parent is there. NotFound for a file that is not, InvalidArgument
  /// for two of one name and for archives that are none.
  static Result<std::unique_ptr<TaskDirectory>> Make(const std::string& output,
                                                     const StreamingWords& job,
                                                     const HadoopPaths& paths);
  ~TaskDirectory();
  TaskDirectory(const TaskDirectory&) = delete;
  TaskDirectory& operator=(const TaskDirectory&) = delete;

  const std::string& path() const { return path_; }
  bool Has(const std::string& name) const;

 private:
  explicit TaskDirectory(std::string path) : path_(std::move(path)) {}
  /// Where `file` lies, and the name under which it goes to this directory.
  Status Place(const ShippedFile& file, const HadoopPaths& paths, std::string* from,
               std::string* to) const;
  Status AddFile(const ShippedFile& file, const HadoopPaths& paths) const;
  Status AddArchive(const ShippedFile& archive, const HadoopPaths& paths) const;

  std::string path_;
};

}  // namespace spillway
