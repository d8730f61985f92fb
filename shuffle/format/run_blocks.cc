#include "shuffle/format/run_blocks.h"

#include <lz4.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <string>

#include "mapreduce/base/check.h"

namespace spillway {
namespace {

// What a source allocates to see a block that its store could not show in place.
std::uint64_t WindowBytes(const Extent& extent, std::uint64_t read_ahead_bytes) {
  const std::uint64_t block_bytes = sizeof(BlockHeader) + std::uint64_t{extent.raw_block_bytes_max};
  return std::min(extent.stored_bytes, std::max(read_ahead_bytes, block_bytes));
}

}  // namespace

ChargedBytes::~ChargedBytes() {
  if (heap_ != nullptr) budget_->Release(heap_bytes_);
}

Status ChargedBytes::Allocate(MemoryBudget& budget, std::uint64_t bytes) {
  SPILLWAY_CHECK(data() == nullptr);
  if (bytes > kHeapBytesMax) {
    SPILLWAY_ASSIGN_OR_RETURN(mapped_, Buffer::AllocateForced(budget, bytes));
    return OkStatus();
  }
  heap_.reset(new (std::nothrow) char[bytes + SPILLWAY_PADDING_BYTES]);
  if (heap_ == nullptr) return ResourceExhausted("out of memory for a read buffer");
  std::memset(heap_.get() + bytes, 0, SPILLWAY_PADDING_BYTES);
  budget.ReserveForced(bytes);
  budget_ = &budget;
  heap_bytes_ = bytes;
  return OkStatus();
}

RunBlocks::RunBlocks(SegmentBytes& bytes, const Extent& extent, const BlockPlace& place,
                     MemoryBudget& budget, const SegmentReader::OpenOptions& options)
    : bytes_(bytes),
      extent_(extent),
      first_(place),
      budget_(budget),
      release_behind_(options.release_behind) {
  if (extent_.blocks == 0) return;
  resident_ = bytes_.View(extent_.offset, extent_.stored_bytes);
  in_memory_ = !resident_.empty() || !bytes_.View(extent_.offset, sizeof(BlockHeader)).empty();
  // Writers hand whole blocks to a store and memory stores keep what they are handed in one piece,
  // so that a window in memory is an exception which buffer_bytes() need not count on.
  if (!in_memory_) window_bytes_max_ = WindowBytes(extent_, options.read_ahead_bytes);
  const std::uint64_t uncompressed_bytes =
      extent_.raw_bytes + std::uint64_t{extent_.blocks} * sizeof(BlockHeader);
  if (extent_.stored_bytes < uncompressed_bytes) unpacked_bytes_max_ = extent_.raw_block_bytes_max;
}

Result<bool> RunBlocks::Next(Block* block) {
  ReleaseConsumed(blocks_read_ == extent_.blocks);
  if (blocks_read_ == extent_.blocks) {
    SPILLWAY_RETURN_IF_ERROR(CheckEnd());
    return false;
  }
  if (extent_.stored_bytes - position_ < sizeof(BlockHeader))
    return Damaged("the extent ends inside a block header");
  SPILLWAY_ASSIGN_OR_RETURN(const char* at, Load(sizeof(BlockHeader)));
  BlockHeader header;
  std::memcpy(&header, at, sizeof header);
  SPILLWAY_RETURN_IF_ERROR(CheckHeader(header));
  SPILLWAY_ASSIGN_OR_RETURN(at, Load(sizeof header + std::uint64_t{header.stored_bytes}));
  const std::string_view payload(at + sizeof header, header.stored_bytes);
  BlockPlace place = first_;
  place.sequence += blocks_read_;
  if (BlockChecksum(header, place, Digest(payload)) != header.checksum)
    return Damaged("the checksum does not match");
  SPILLWAY_RETURN_IF_ERROR(Unpack(header, payload, block));
  position_ += sizeof header + header.stored_bytes;
  records_read_ += header.records;
  raw_bytes_read_ += header.raw_bytes;
  ++blocks_read_;
  return true;
}

// The header is not trusted before its checksum, and the checksum cannot be computed before the
// lengths are used; so they are held against what the index allows.
Status RunBlocks::CheckHeader(const BlockHeader& header) const {
  const bool lz4 = header.flags == kBlockIsLz4;
  if (header.flags > kBlockIsLz4) return Damaged("unknown flags");
  if (header.raw_bytes > extent_.raw_block_bytes_max ||
      header.stored_bytes > extent_.stored_bytes - position_ - sizeof header ||
      (lz4 ? header.stored_bytes >= header.raw_bytes : header.stored_bytes != header.raw_bytes) ||
      (lz4 && unpacked_bytes_max_ == 0))
    return Damaged("the lengths contradict the index");
  return OkStatus();
}

Status RunBlocks::CheckEnd() const {
  if (position_ == extent_.stored_bytes && records_read_ == extent_.records &&
      raw_bytes_read_ == extent_.raw_bytes)
    return OkStatus();
  return Damaged("the blocks are not what the index says");
}

Status RunBlocks::Unpack(const BlockHeader& header, std::string_view payload, Block* block) {
  block->records = header.records;
  block->bytes = payload;
  if (header.flags != kBlockIsLz4) return OkStatus();
  if (unpacked_.data() == nullptr)
    SPILLWAY_RETURN_IF_ERROR(unpacked_.Allocate(budget_, extent_.raw_block_bytes_max));
  const int bytes =
      LZ4_decompress_safe(payload.data(), unpacked_.data(), static_cast<int>(payload.size()),
                          static_cast<int>(header.raw_bytes));
  if (bytes < 0 || static_cast<std::uint32_t>(bytes) != header.raw_bytes)
    return Damaged("LZ4 cannot unpack it");
  block->bytes = {unpacked_.data(), header.raw_bytes};
  return OkStatus();
}

// `bytes` at position_ in one piece, with padding behind. The caller has checked that the extent
// has them.
Result<const char*> RunBlocks::Load(std::uint64_t bytes) {
  if (!resident_.empty()) return resident_.data() + position_;
  if (in_memory_) {
    const std::string_view view = bytes_.View(extent_.offset + position_, bytes);
    if (!view.empty()) return view.data();
  }
  if (window_end_ < position_ + bytes) SPILLWAY_RETURN_IF_ERROR(FillWindow(bytes));
  return window_.data() + (position_ - window_begin_);
}

// Moves what is left of the window to its front and reads on behind it, as far as it goes.
Status RunBlocks::FillWindow(std::uint64_t bytes) {
  const std::uint64_t capacity = WindowBytes(extent_, window_bytes_max_);
  if (window_.data() == nullptr) SPILLWAY_RETURN_IF_ERROR(window_.Allocate(budget_, capacity));
  SPILLWAY_CHECK_LE(bytes, capacity);
  const std::uint64_t kept = window_end_ > position_ ? window_end_ - position_ : 0;
  if (kept > 0) std::memmove(window_.data(), window_.data() + (position_ - window_begin_), kept);
  window_begin_ = position_;
  window_end_ = position_ + kept;
  const std::uint64_t wanted = std::min(capacity - kept, extent_.stored_bytes - window_end_);
  char* const to = window_.data() + kept;
  auto read = bytes_.ReadAt(extent_.offset + window_end_, wanted, to);
  if (!read.ok()) return read.status();
  if (read->data() != to) std::memcpy(to, read->data(), wanted);
  window_end_ += wanted;
  return OkStatus();
}

void RunBlocks::ReleaseConsumed(bool at_end) {
  if (!release_behind_) return;
  const std::uint64_t consumed = position_ - released_;
  if (consumed == 0 || (consumed < kReleaseStepBytes && !at_end)) return;
  bytes_.Release(extent_.offset + released_, consumed);
  released_ = position_;
}

Status RunBlocks::Damaged(std::string_view what) const {
  return DataLoss(bytes_.name() + ", offset " + std::to_string(extent_.offset + position_) +
                  ": block " + std::to_string(first_.sequence + blocks_read_) + " (map task " +
                  std::to_string(first_.segment.map_task) + ", attempt " +
                  std::to_string(first_.segment.attempt) + ", run " + std::to_string(first_.run) +
                  ", partition " + std::to_string(first_.partition) +
                  ") is damaged: " + std::string(what) + "; the map task must run again");
}

}  // namespace spillway
