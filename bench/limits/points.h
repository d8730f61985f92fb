// Points: lines `label number number ...` in single precision, in the order of the file, as blocks
// of 16 points: all first coordinates side by side, then all second ones. Parsed by several
// threads; immutable afterwards.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "bench/limits/files.h"

namespace spillway::limits {

inline constexpr std::size_t kLanes = 16;

/// One number for each point of a block.
using Lanes = float __attribute__((vector_size(kLanes * sizeof(float))));

class Points {
 public:
  /// Ends the program at a line that is no point or has another number of coordinates than the
  /// first one. Lines without a number are passed over.
  static Points Parse(const std::string& path, unsigned threads);

  std::size_t count() const { return count_; }
  std::size_t dimensions() const { return dimensions_; }
  std::size_t blocks() const { return (count_ + kLanes - 1) / kLanes; }
  /// Of the last block, zero behind the last point.
  const Lanes* block(std::size_t i) const { return rows() + i * dimensions_; }
  const Lanes& labels(std::size_t i) const { return rows()[blocks() * dimensions_ + i]; }
  float at(std::size_t point, std::size_t dimension) const {
    return block(point / kLanes)[dimension][point % kLanes];
  }

 private:
  const Lanes* rows() const { return reinterpret_cast<const Lanes*>(buffer_.data()); }

  std::size_t count_ = 0, dimensions_ = 0;
  LargeBuffer buffer_;  // All blocks, then the labels of all blocks.
};

}  // namespace spillway::limits
