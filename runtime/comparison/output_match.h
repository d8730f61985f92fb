// Whether two jobs wrote the same bytes.
#pragma once

#include <string>

#include "mapreduce/base/file_system.h"

namespace spillway {

/// Compares the parts of two output directories, put together in their order. Where they differ
/// first, in words; empty: nowhere.
Result<std::string> DifferenceOf(FileSystem& files, const std::string& first,
                                 const std::string& second);

}  // namespace spillway
