// Rows of text in columns. Pure.
#pragma once

#include <string>
#include <vector>

namespace spillway {

/// Lines with the cells of `rows` (all of one length) padded to their columns, two spaces between
/// them. A column of numbers stands on the right; its first row may be words.
std::string TextTable(const std::vector<std::vector<std::string>>& rows);

}  // namespace spillway
