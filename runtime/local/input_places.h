// InputPlaces: which hosts hold the input files, as the client was told: by directory, the longest
// one that a path lies in. Tasks prefer workers of these hosts; every worker must be able to read
// the paths all the same. A value.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "mapreduce/base/status.h"

namespace spillway {

class InputPlaces {
 public:
  static constexpr std::size_t kHostsMax = 16;  ///< Of one directory, and of one map task.

  /// "DIR=HOST" or "DIR=HOST,HOST". InvalidArgument: it is not, or the directory came before.
  Status Add(const std::string& text);

  bool empty() const { return hosts_.empty(); }
  /// The hosts of an absolute path; empty where nothing is known.
  const std::vector<std::string>& HostsOf(const std::string& path) const;

 private:
  std::map<std::string, std::vector<std::string>> hosts_;  // By absolute directory.
};

/// The hosts that hold the most of a task's input, the best first.
class PlaceTally {
 public:
  void Add(const std::vector<std::string>& hosts, std::uint64_t bytes) {
    for (const std::string& host : hosts) bytes_[host] += bytes;
  }
  std::vector<std::string> Best() const;

 private:
  std::map<std::string, std::uint64_t> bytes_;
};

}  // namespace spillway
