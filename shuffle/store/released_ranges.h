// ReleasedRanges: which bytes of a segment its readers are done with. Ranges may come in any order,
// from several readers, and more than once. Pure; the owner locks.
#pragma once

#include <cstdint>
#include <map>

namespace spillway {

class ReleasedRanges {
 public:
  struct Range {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
  };

  /// Adds [begin, end) and returns the whole released range that it is now part of.
  Range Add(std::uint64_t begin, std::uint64_t end);

 private:
  std::map<std::uint64_t, std::uint64_t> ends_;  // Begin -> end; disjoint and not touching.
};

}  // namespace spillway
