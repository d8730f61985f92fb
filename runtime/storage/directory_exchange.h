// DirectoryExchange: puts the directories of a staged output into an output that is there already,
// each in one step, and leaves all others of it as they are. What they replace is in the staging
// directory afterwards.
//
// There is no one step for several directories: who looks while it runs sees some new and some old
// ones, each whole. A crash in the middle leaves them so, and the same calls again finish the work,
// which is known by a hidden file in each new directory; before the first is moved, the staging
// directory has a list of them all. Nothing is moved unless the layout of the output fits. One
// thread.
#pragma once

#include <string>
#include <vector>

#include "mapreduce/base/file_system.h"
#include "runtime/storage/output_tree.h"

namespace spillway {

struct ExchangeOptions {
  std::string staging_dir;
  std::string output_dir;
  std::string job_id;
  bool durable = true;
};

class DirectoryExchange {
 public:
  /// In the staging directory: the list.
  static constexpr const char* kListName = ".exchange";

  DirectoryExchange(FileSystem& files, ExchangeOptions options);

  /// A Begin has come to its end: the staging directory may have old directories in it.
  bool begun();

  /// Looks at the output and marks what is staged; moves nothing. AlreadyExists when the output's
  /// directories are those of another layout, or links: replacing them would lose what lies below.
  Status Begin(const OutputTree& tree);

  /// Moves every directory of the tree that is not there yet, then the output's own `manifest` and
  /// _SUCCESS.
  Status Run(const OutputTree& tree, const std::string& manifest);

  /// Removes the marks from the output's directories. Afterwards the staging directory may go.
  void RemoveMarks(const std::vector<std::string>& directories);

  /// Of the list in a staging directory; empty when there is none.
  static std::vector<std::string> ReadList(FileSystem& files, const std::string& staging_dir);

 private:
  std::string Staged(const std::string& name) const { return options_.staging_dir + "/" + name; }
  std::string Placed(const std::string& name) const { return options_.output_dir + "/" + name; }
  Status CheckLayout(const OutputTree& tree);
  Status CheckLeaf(const std::string& directory);
  Status CheckLevel(const std::string& level);
  Status WriteEmpty(const std::string& path);
  Status Move(const std::string& directory);
  Status MoveFile(const std::string& name, const std::string& text);
  Result<std::string> ReadAll(const std::string& path);

  FileSystem& files_;
  const ExchangeOptions options_;
  const std::string mark_;  ///< The name of the hidden file.
};

}  // namespace spillway
