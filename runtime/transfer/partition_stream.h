// PartitionStream: some neighbouring partitions of a segment as a single stream of bytes: what each
// run has of them, run after run, block headers included (docs/formats/fetch.md). What is fetched
// is ranges of this stream. Pure and immutable; any thread.
#pragma once

#include <cstdint>
#include <vector>

#include "shuffle/format/partition_range.h"
#include "shuffle/format/segment_reader.h"

namespace spillway {

class PartitionStream {
 public:
  /// A stretch that lies in the segment in one piece: one run's extents of all the partitions.
  struct Piece {
    std::uint64_t position = 0;  ///< In the stream.
    std::uint64_t offset = 0;    ///< In the segment.
    std::uint64_t bytes = 0;
    std::uint32_t run = 0;
  };

  PartitionStream() = default;
  /// `partitions` are all less than segment.partitions(). Takes memory for each run, and none for
  /// each partition.
  PartitionStream(const SegmentReader& segment, const PartitionRange& partitions);

  std::uint64_t bytes() const { return bytes_; }
  const PartitionRange& partitions() const { return partitions_; }
  /// The runs that are not empty, in order.
  const std::vector<Piece>& pieces() const { return pieces_; }

  /// Index of the piece that holds the byte at `position`, which is less than bytes().
  std::size_t PieceAt(std::uint64_t position) const;

  /// The same by its offset in the segment; pieces().size() when no piece holds that byte.
  std::size_t PieceAtOffset(std::uint64_t offset) const;

 private:
  std::vector<Piece> pieces_;
  std::uint64_t bytes_ = 0;
  PartitionRange partitions_;
};

}  // namespace spillway
