// BlockWalk: goes through the blocks of a PartitionStream from front to back and holds each
// against its place. The server uses it on what it sends, the receiver on what has come. Pure; one
// thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "mapreduce/base/status.h"
#include "runtime/transfer/partition_stream.h"
#include "shuffle/format/segment_layout.h"

namespace spillway {

class BlockWalk {
 public:
  /// `stream` is of `segment`; both outlive the walk.
  BlockWalk(const PartitionStream& stream, const SegmentReader& segment);

  /// Of the next block, in the stream.
  std::uint64_t position() const { return position_; }
  bool at_end() const { return position_ == stream_.bytes(); }
  /// The same place in the segment; its end when at_end().
  std::uint64_t offset() const;

  /// Size of the next block with its header. DataLoss when `header` cannot be that of a block
  /// here; nothing else of it is checked yet. Not at the end.
  Result<std::uint64_t> BlockBytes(const BlockHeader& header) const;

  /// Goes on behind the next block, whose bytes are `block`. DataLoss when its checksum is not that
  /// of this place.
  Status Check(std::string_view block);

  /// Goes on behind the next block unchecked. `block_bytes` as BlockBytes said.
  void Skip(std::uint64_t block_bytes);

 private:
  const PartitionStream::Piece& piece() const { return stream_.pieces()[piece_]; }
  const Extent& extent() const { return run_.extents[extent_]; }
  std::uint64_t extent_end() const;  // In the stream.
  BlockPlace place() const;
  void EnterPiece();
  Status Damaged(std::string_view what) const;

  const PartitionStream& stream_;
  const SegmentReader& segment_;
  std::uint64_t position_ = 0;
  std::size_t piece_ = 0;
  RunExtents run_;  // The piece's.
  std::size_t extent_ = 0;
  std::uint32_t block_ = 0;  // In the extent.
};

}  // namespace spillway
