// OutputTree: the files of a job's output, directory by directory, as the attempts that count say,
// and the manifest of each directory. Pure; a value.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "mapreduce/base/status.h"
#include "runtime/storage/part_file.h"

namespace spillway {

/// The attempt that counts for a task.
struct CommittedPart {
  std::uint32_t part = 0;
  std::uint32_t attempt = 0;
  PartInfo info;
  /// Of a map task of a job with reducers: it has no part, only files in directories.
  bool of_map = false;
};

struct OutputFile {
  std::string name;     ///< "part-00003"
  std::string attempt;  ///< Where it was written, below the staging directory.
  std::uint64_t bytes = 0;
  std::uint64_t records = 0;
  std::uint64_t xxh3 = 0;
};

class OutputTree {
 public:
  /// By its path in the output, "" being the output itself.
  using Directories = std::map<std::string, std::vector<OutputFile>>;

  /// Internal: a part is missing or comes twice. InvalidArgument: a directory's name is none.
  static Result<OutputTree> Of(std::span<const CommittedPart> winners, std::uint32_t parts,
                               bool has_parts = true);

  /// "" is always there, and the first. Files are in the order of their names.
  const Directories& directories() const { return directories_; }

  /// The levels that lie above directories with files, without them: before those below.
  std::vector<std::string> LevelsBetween() const;

  /// The files of one directory; those below it have manifests of their own, and may be replaced
  /// without this one. The same for equal outputs, so that two runs of a job can be compared
  /// directory by directory. `head` is put into it: further `"key": value,` lines.
  std::string ManifestOf(const std::string& directory, const std::string& head) const;

 private:
  Directories directories_;
};

}  // namespace spillway
