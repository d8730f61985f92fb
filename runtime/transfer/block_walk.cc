#include "runtime/transfer/block_walk.h"

#include <cstring>

#include "mapreduce/base/check.h"

namespace spillway {

BlockWalk::BlockWalk(const PartitionStream& stream, const SegmentReader& segment)
    : stream_(stream), segment_(segment) {
  EnterPiece();
}

void BlockWalk::EnterPiece() {
  extent_ = 0;
  if (!at_end()) run_ = segment_.extents(piece().run, stream_.partitions());
}

std::uint64_t BlockWalk::offset() const {
  if (stream_.pieces().empty()) return 0;
  if (at_end()) return stream_.pieces().back().offset + stream_.pieces().back().bytes;
  return piece().offset + (position_ - piece().position);
}

// A run's extents lie back to back, in the stream as in the segment.
std::uint64_t BlockWalk::extent_end() const {
  return piece().position + (extent().offset - piece().offset) + extent().stored_bytes;
}

BlockPlace BlockWalk::place() const {
  return {segment_.id(), piece().run, run_.partitions[extent_], extent().first_block + block_};
}

Result<std::uint64_t> BlockWalk::BlockBytes(const BlockHeader& header) const {
  SPILLWAY_CHECK(!at_end());
  const std::uint64_t rest = extent_end() - position_;
  const std::uint64_t bytes = sizeof header + std::uint64_t{header.stored_bytes};
  if (block_ >= extent().blocks) return Damaged("there are more blocks than the index says");
  if (bytes > rest || header.stored_bytes > header.raw_bytes ||
      header.raw_bytes > extent().raw_block_bytes_max)
    return Damaged("the lengths contradict the index");
  return bytes;
}

Status BlockWalk::Check(std::string_view block) {
  SPILLWAY_CHECK_LE(sizeof(BlockHeader), block.size());
  BlockHeader header;
  std::memcpy(&header, block.data(), sizeof header);
  if (BlockChecksum(header, place(), Digest(block.substr(sizeof header))) != header.checksum)
    return Damaged("the checksum does not match");
  Skip(block.size());
  return OkStatus();
}

void BlockWalk::Skip(std::uint64_t block_bytes) {
  const std::uint64_t end = extent_end();
  position_ += block_bytes;
  ++block_;
  if (position_ < end) return;
  SPILLWAY_CHECK_EQ(position_, end);
  block_ = 0;
  if (++extent_ < run_.extents.size()) return;
  ++piece_;
  EnterPiece();
}

Status BlockWalk::Damaged(std::string_view what) const {
  const BlockPlace at = place();
  return DataLoss("offset " + std::to_string(offset()) + ": block " + std::to_string(at.sequence) +
                  " (map task " + std::to_string(at.segment.map_task) + ", attempt " +
                  std::to_string(at.segment.attempt) + ", run " + std::to_string(at.run) +
                  ", partition " + std::to_string(at.partition) +
                  ") is damaged: " + std::string(what) + "; the map task must run again");
}

}  // namespace spillway
