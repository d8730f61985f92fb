// HadoopPaths: where the paths of Hadoop's commands lie in this machine's file system. A value;
// asks the file system only to expand globs.
//
//   hdfs:///a, hdfs://HOST/a, /a    ROOT/a; /a itself where there is no root
//   a                               ROOT/user/USER/a; where there is no root, from here
//   file:///a                       /a
//
// As in HDFS, `..` is part of the name and not of the file system: no path leaves the root.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "mapreduce/base/status.h"

namespace spillway {

/// A path as it was written, and where it lies.
struct HadoopPath {
  std::string shown;
  std::string local;
};

class HadoopPaths {
 public:
  /// `root` is absolute, or "" for the file system as it is.
  HadoopPaths(std::string root, std::string user);

  const std::string& root() const { return root_; }

  /// InvalidArgument for schemes that are not served here, and for a path of no letters.
  Result<HadoopPath> Find(std::string_view text) const;
  /// The same, but a path without scheme is one of the local file system.
  Result<HadoopPath> FindLocal(std::string_view text) const;

  /// What a glob (*, ?, [a-z], {a,b}) stands for, sorted; NotFound when nothing. What is no glob
  /// stands for itself, whether it is there or not.
  Result<std::vector<HadoopPath>> Expand(std::string_view text) const;

 private:
  /// What is written before the part that both names of a path have in common, and what lies there.
  struct Prefix {
    std::string shown, local;
    bool rooted = false;
  };
  Result<Prefix> PrefixOf(std::string_view text) const;
  std::string LocalOf(const Prefix& prefix, std::string_view text) const;

  std::string root_;
  std::string home_;  ///< Ends with '/'; "" for the current directory.
};

/// An entry of a directory.
HadoopPath Below(const HadoopPath& directory, const std::string& name);

}  // namespace spillway
