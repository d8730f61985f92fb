#include "runtime/transfer/partition_stream.h"

#include <algorithm>

#include "mapreduce/base/check.h"

namespace spillway {

PartitionStream::PartitionStream(const SegmentReader& segment, const PartitionRange& partitions)
    : partitions_(partitions) {
  for (std::uint32_t run = 0; run < segment.runs(); ++run) {
    const std::span<const Extent> extents = segment.extents(run, partitions).extents;
    if (extents.empty()) continue;
    const std::uint64_t end = extents.back().offset + extents.back().stored_bytes;
    pieces_.push_back({bytes_, extents.front().offset, end - extents.front().offset, run});
    bytes_ += pieces_.back().bytes;
  }
}

std::size_t PartitionStream::PieceAt(std::uint64_t position) const {
  SPILLWAY_CHECK_LT(position, bytes_);
  const auto after = std::upper_bound(
      pieces_.begin(), pieces_.end(), position,
      [](std::uint64_t value, const Piece& piece) { return value < piece.position; });
  return static_cast<std::size_t>(after - pieces_.begin()) - 1;
}

std::size_t PartitionStream::PieceAtOffset(std::uint64_t offset) const {
  // Later runs lie behind earlier ones, so that the order is the same.
  const auto after = std::upper_bound(
      pieces_.begin(), pieces_.end(), offset,
      [](std::uint64_t value, const Piece& piece) { return value < piece.offset; });
  if (after == pieces_.begin() || offset - (after - 1)->offset >= (after - 1)->bytes)
    return pieces_.size();
  return static_cast<std::size_t>(after - pieces_.begin()) - 1;
}

}  // namespace spillway
