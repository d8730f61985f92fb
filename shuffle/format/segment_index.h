// SegmentIndex: which blocks hold which (run, partition) (docs/formats/segment.md, Index). Only
// what is not empty takes room. The builder belongs to one thread; a parsed index is immutable.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "mapreduce/base/status.h"
#include "shuffle/format/partition_range.h"
#include "shuffle/format/segment_writer.h"

namespace spillway {

/// Encodes the index while a segment is written: BeginRun, Add in partition order, EndRun.
class SegmentIndexBuilder {
 public:
  void BeginRun();
  /// `extent` is not empty; its offset and first_block follow from what was added before.
  void Add(std::uint32_t partition, const Extent& extent);
  void EndRun();

  /// The encoded index of the finished runs.
  std::string_view bytes() const { return bytes_; }

 private:
  std::string bytes_;
  std::string run_;  // The open run's extents; their count goes before them.
  std::uint64_t run_extents_ = 0;
  std::uint32_t next_partition_ = 0;
};

class SegmentIndex {
 public:
  struct Shape {
    std::uint32_t runs = 0;
    std::uint32_t partitions = 0;
    std::uint32_t blocks = 0;
    std::uint64_t blocks_offset = 0;  ///< Where the first block begins.
    std::uint64_t blocks_end = 0;     ///< Where the last block ends.
  };

  /// DataLoss when `bytes` is not an index of exactly this shape. Nothing in it is believed: the
  /// memory that it takes is bounded by a multiple of bytes.size().
  static Result<SegmentIndex> Parse(std::string_view bytes, const Shape& shape);

  /// An empty Extent where there is none.
  const Extent& extent(std::uint32_t run, std::uint32_t partition) const;

  /// See SegmentReader. Valid as long as the index stays where it is.
  RunExtents extents(std::uint32_t run, const PartitionRange& partitions) const;

 private:
  std::uint64_t LowerBound(std::uint32_t run, std::uint64_t partition) const;

  // One entry for each non-empty extent; run r owns [run_begin_[r], run_begin_[r + 1]).
  std::vector<Extent> extents_;
  std::vector<std::uint32_t> extent_partitions_;
  std::vector<std::uint64_t> run_begin_;
  std::uint32_t partitions_ = 0;
};

}  // namespace spillway
