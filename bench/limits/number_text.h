// Texts of results: numbers in the shortest form that reads back the same, parted by `between`.
// Pure.
#pragma once

#include <charconv>
#include <cstddef>
#include <string>

namespace spillway::limits {

template <class Number>
void AppendNumber(Number number, std::string& text) {
  char digits[32];
  text.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
}

inline void AppendRow(const double* row, std::size_t numbers, char between, std::string& text) {
  for (std::size_t i = 0; i < numbers; ++i) {
    if (i > 0) text += between;
    AppendNumber(row[i], text);
  }
}

/// The operand as a whole number from 1 to `most`; 0 when it is none.
inline std::size_t CountOf(const std::string& operand, std::size_t most) {
  std::size_t count = 0;
  const char* const end = operand.data() + operand.size();
  const auto [behind, error] = std::from_chars(operand.data(), end, count);
  return error == std::errc() && behind == end && count <= most ? count : 0;
}

}  // namespace spillway::limits
