#include "tests/places.h"

namespace spillway {

std::string SourcePath(const std::string& path) { return SPILLWAY_SOURCE_DIR "/" + path; }
std::string BuildPath(const std::string& path) { return SPILLWAY_BINARY_DIR "/" + path; }

}  // namespace spillway
