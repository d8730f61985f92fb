// BuildProject: a directory of sources becomes plugins, by CMake, before they are run. The project
// uses find_package(spillway) and spillway_add_plugin(), which leaves a list of what it built.
// Whoever calls waits.
#pragma once

#include <string>
#include <vector>

#include "mapreduce/base/status.h"

namespace spillway {

/// What of `directory` is built into directory/build: the paths of its plugins. Configures it first
/// if nobody has, to find the package of this Spillway under `prefix`. BadData with the compiler's
/// words, which end in a newline, when it does not build; NotFound when it is no such project.
Result<std::vector<std::string>> BuildProject(const std::string& directory,
                                              const std::string& prefix);

}  // namespace spillway
