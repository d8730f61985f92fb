// The shared libraries that programs need beside those of the C library, which every machine has of
// its own. Found by ldd, which loads what it looks at. Whoever calls waits.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "mapreduce/base/status.h"

namespace spillway {

struct SharedLibrary {
  std::string name;  ///< As programs ask for it.
  std::string path;
  bool operator==(const SharedLibrary&) const = default;
};

/// What ldd printed of `file`. NotFound names a library that is not there.
Result<std::vector<SharedLibrary>> ReadLddOutput(std::string_view output, const std::string& file);

/// Of all of them together, each library once, by name.
Result<std::vector<SharedLibrary>> LibraryClosure(const std::vector<std::string>& files);

}  // namespace spillway
