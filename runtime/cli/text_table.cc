#include "runtime/cli/text_table.h"

#include <algorithm>
#include <cctype>

namespace spillway {
namespace {

constexpr const char* kGap = "  ";

/// Characters, for padding; what the cells hold is UTF-8.
std::size_t Columns(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

/// A count, a size, a time, a part of a whole, or none; not a name that begins with a digit.
bool IsNumber(const std::string& cell) {
  return cell.empty() || cell == "-" ||
         (std::isdigit(static_cast<unsigned char>(cell.front())) != 0 &&
          cell.find('-') == std::string::npos);
}

}  // namespace

std::string TextTable(const std::vector<std::vector<std::string>>& rows) {
  if (rows.empty()) return {};
  const std::size_t columns = rows[0].size();
  std::vector<std::size_t> widths(columns, 0);
  std::vector<bool> right(columns, rows.size() > 1);
  for (std::size_t row = 0; row < rows.size(); ++row) {
    for (std::size_t column = 0; column < columns; ++column) {
      widths[column] = std::max(widths[column], Columns(rows[row][column]));
      if (row > 0 && !IsNumber(rows[row][column])) right[column] = false;
    }
  }
  std::string text;
  for (const std::vector<std::string>& row : rows) {
    std::string line;
    for (std::size_t column = 0; column < columns; ++column) {
      const std::string padding(widths[column] - Columns(row[column]), ' ');
      if (column > 0) line += kGap;
      line += right[column] ? padding + row[column] : row[column] + padding;
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

}  // namespace spillway
