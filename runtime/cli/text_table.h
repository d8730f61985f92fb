// Rows of text in columns. Pure.
#pragma once

#include <string>
#include <vector>

namespace spillway {

/// Lines with the cells of `rows` (all of one length) padded to their columns, two spaces between
/// them. A column whose cells below the first row all begin with a digit stands on the right.
std::string TextTable(const std::vector<std::vector<std::string>>& rows);

}  // namespace spillway
