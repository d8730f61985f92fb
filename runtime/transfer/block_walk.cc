#include "runtime/transfer/block_walk.h"

#include <cstring>

#include "mapreduce/base/check.h"

namespace spillway {

std::uint64_t BlockWalk::offset() const {
  if (stream_.pieces().empty()) return 0;
  if (at_end()) return stream_.pieces().back().offset + stream_.pieces().back().bytes;
  return piece().offset + (position_ - piece().position);
}

Result<std::uint64_t> BlockWalk::BlockBytes(const BlockHeader& header) const {
  SPILLWAY_CHECK(!at_end());
  const std::uint64_t rest = piece().position + piece().bytes - position_;
  const std::uint64_t bytes = sizeof header + std::uint64_t{header.stored_bytes};
  if (block_ >= piece().blocks) return Damaged("there are more blocks than the index says");
  if (bytes > rest || header.stored_bytes > header.raw_bytes ||
      header.raw_bytes > piece().raw_block_bytes_max)
    return Damaged("the lengths contradict the index");
  return bytes;
}

Status BlockWalk::Check(std::string_view block) {
  SPILLWAY_CHECK_LE(sizeof(BlockHeader), block.size());
  BlockHeader header;
  std::memcpy(&header, block.data(), sizeof header);
  const BlockPlace place = {segment_, piece().run, stream_.partition(),
                            piece().first_block + block_};
  if (BlockChecksum(header, place, Digest(block.substr(sizeof header))) != header.checksum)
    return Damaged("the checksum does not match");
  Skip(block.size());
  return OkStatus();
}

void BlockWalk::Skip(std::uint64_t block_bytes) {
  position_ += block_bytes;
  ++block_;
  if (position_ < piece().position + piece().bytes) return;
  SPILLWAY_CHECK_EQ(position_, piece().position + piece().bytes);
  ++piece_;
  block_ = 0;
}

Status BlockWalk::Damaged(std::string_view what) const {
  return DataLoss("offset " + std::to_string(offset()) + ": block " +
                  std::to_string(piece().first_block + block_) + " (map task " +
                  std::to_string(segment_.map_task) + ", attempt " +
                  std::to_string(segment_.attempt) + ", run " + std::to_string(piece().run) +
                  ", partition " + std::to_string(stream_.partition()) +
                  ") is damaged: " + std::string(what) + "; the map task must run again");
}

}  // namespace spillway
