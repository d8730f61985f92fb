// RunBlocks: the blocks of one (run, partition) of a segment, checked and unpacked one by one.
// Blocks that lie in memory as they are are views; others are read ahead into a window. Made by
// SegmentReader::OpenRun; one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "shuffle/format/segment_layout.h"
#include "shuffle/format/segment_reader.h"

namespace spillway {

/// Uninitialised bytes, charged to a budget whether it has them or not, with
/// SPILLWAY_PADDING_BYTES behind. Small ones come from the heap: a merge opens many small sources,
/// and a mapping for each would cost more than reading it.
class ChargedBytes {
 public:
  static constexpr std::uint64_t kHeapBytesMax = 128 << 10;

  ChargedBytes() = default;
  ChargedBytes(const ChargedBytes&) = delete;
  ChargedBytes& operator=(const ChargedBytes&) = delete;
  ~ChargedBytes();

  Status Allocate(MemoryBudget& budget, std::uint64_t bytes);
  char* data() const { return heap_ ? heap_.get() : mapped_.data(); }

 private:
  std::unique_ptr<char[]> heap_;
  std::uint64_t heap_bytes_ = 0;
  MemoryBudget* budget_ = nullptr;
  Buffer mapped_;
};

class RunBlocks final : public BlockSource {
 public:
  /// Consumed bytes are released in steps of this.
  static constexpr std::uint64_t kReleaseStepBytes = 1 << 20;

  /// `bytes` outlives the source. `place.sequence` is that of the first block.
  RunBlocks(SegmentBytes& bytes, const Extent& extent, const BlockPlace& place,
            MemoryBudget& budget, const SegmentReader::OpenOptions& options);

  Result<bool> Next(Block* block) override;
  std::uint64_t buffer_bytes() const override { return window_bytes_max_ + unpacked_bytes_max_; }

 private:
  Status CheckHeader(const BlockHeader& header) const;
  Status CheckEnd() const;
  Status Unpack(const BlockHeader& header, std::string_view payload, Block* block);
  Result<const char*> Load(std::uint64_t bytes);
  Status FillWindow(std::uint64_t bytes);
  void ReleaseConsumed(bool at_end);
  Status Damaged(std::string_view what) const;

  SegmentBytes& bytes_;
  const Extent extent_;
  const BlockPlace first_;
  MemoryBudget& budget_;
  const bool release_behind_;
  std::string_view resident_;  // The whole extent, where it lies in memory in one piece.
  bool in_memory_ = false;
  std::uint64_t window_bytes_max_ = 0;
  std::uint64_t unpacked_bytes_max_ = 0;

  // Positions count from the extent's begin.
  std::uint64_t position_ = 0;  // Of the next block.
  std::uint64_t released_ = 0;
  std::uint64_t window_begin_ = 0;
  std::uint64_t window_end_ = 0;
  std::uint32_t blocks_read_ = 0;
  std::uint64_t records_read_ = 0;
  std::uint64_t raw_bytes_read_ = 0;
  ChargedBytes window_;
  ChargedBytes unpacked_;
};

}  // namespace spillway
