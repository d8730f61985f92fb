// Sample input for iterative jobs: points around a few places, and graphs whose degrees follow
// power laws. The same options give the same bytes on every machine.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "mapreduce/base/file_system.h"

namespace spillway {

enum class SampleKind {
  kPoints,  ///< Lines `label x1 ... x16`, around 10 places.
  kGraph,   ///< Lines `from TAB to` of vertex numbers, about ten edges for each vertex.
};

struct SampleOptions {
  SampleKind kind = SampleKind::kPoints;
  std::uint64_t bytes = 0;  ///< The file has as many, or some more to end the last line.
  std::uint64_t seed = 1;
};

/// Writes a new file. Cancelled soon after `stop` is true.
Status WriteSample(FileSystem& files, const std::string& path, const SampleOptions& options,
                   const std::atomic<bool>& stop);

}  // namespace spillway
