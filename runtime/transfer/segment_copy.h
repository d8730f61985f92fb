// SegmentCopy: some partitions of a segment of another host, while they arrive and become a segment
// that can be read here. The head is kept in memory; the stream's blocks are checked and appended
// to a segment of a local store. One thread.
//
// Blocks are checked here and not only when they are merged, although the payload's hash was right:
// a block that was sent wrong is then known before the reduce begins, while the map task can still
// run again without costing the reduce its attempt. To find the blocks' borders is needed anyway,
// because stores keep in one piece what they are handed in one piece.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "mapreduce/base/status.h"
#include "runtime/transfer/block_walk.h"
#include "runtime/transfer/partition_stream.h"
#include "runtime/transfer/sliced_segment.h"
#include "shuffle/format/run_blocks.h"
#include "shuffle/format/segment_reader.h"
#include "shuffle/store/memory_budget.h"
#include "shuffle/store/segment_store.h"

namespace spillway {

class SegmentCopy {
 public:
  struct Options {
    std::string name;  ///< For messages: whose segment, and where it comes from.
    SegmentId segment;
    PartitionRange partitions;
    SegmentId copy;                  ///< Its name in `store`; a segment of that name is discarded.
    SegmentStore* store = nullptr;   ///< Outlives the copy and its readers.
    MemoryBudget* budget = nullptr;  ///< For a block that comes in pieces; outlives the copy.
  };
  explicit SegmentCopy(Options options) : options_(std::move(options)) {}

  /// The head's next bytes; the caller bounds their sum.
  void AddHead(std::string_view bytes) { head_ += bytes; }

  /// The head is whole: how long the stream is. DataLoss: it is not the segment's.
  Result<std::uint64_t> FinishHead(std::uint64_t segment_bytes);

  /// The stream's next bytes, as many as FinishHead said in all. DataLoss: a block that is not what
  /// was written. Other codes: the store failed.
  Status AddStream(std::string_view bytes);

  /// The stream is whole. The copy is discarded when the last reader goes. DataLoss as before.
  Result<std::shared_ptr<const SegmentReader>> Finish();

 private:
  Result<std::uint64_t> AppendWhole(std::string_view bytes);
  Result<std::size_t> AddToSplit(std::string_view bytes);
  Result<std::shared_ptr<SegmentBytes>> CommitAndOpen();

  const Options options_;
  std::string head_;
  std::shared_ptr<SlicedSegment> sliced_;
  std::shared_ptr<const SegmentReader> reader_;
  PartitionStream stream_;
  std::optional<BlockWalk> walk_;
  std::unique_ptr<SegmentFile> file_;

  // A block of which only the first split_bytes_ have come: in split_header_ while they are less
  // than a header, then in split_.
  std::array<char, sizeof(BlockHeader)> split_header_{};
  std::optional<ChargedBytes> split_;
  std::uint64_t split_bytes_ = 0;
  std::uint64_t split_bytes_wanted_ = 0;
};

}  // namespace spillway
