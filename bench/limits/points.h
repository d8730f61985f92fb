// Points: lines `label number number ...` as one matrix, row after row, in the order of the file.
// Parsed by several threads; immutable afterwards.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace spillway::limits {

struct Points {
  std::size_t dimensions = 0;
  std::vector<double> labels;
  std::vector<double> coordinates;  ///< labels.size() rows of `dimensions` each.

  /// Ends the program at a line that is no point or has another number of coordinates than the
  /// first one. Lines without a number are passed over.
  static Points Parse(const std::string& path, unsigned threads);

  std::size_t count() const { return labels.size(); }
  const double* row(std::size_t i) const { return coordinates.data() + i * dimensions; }
};

}  // namespace spillway::limits
