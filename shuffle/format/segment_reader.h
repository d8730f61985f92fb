// SegmentReader: the index of a committed segment, and the blocks of one (run, partition).
// Everything read is checked before anyone sees it: a wrong byte is DataLoss that names the
// segment, the offset and the block, never a crash. The reader is immutable and thread-safe; a
// RunBlocks belongs to one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "mapreduce/base/status.h"
#include "shuffle/format/partition_range.h"
#include "shuffle/format/segment_writer.h"
#include "shuffle/store/memory_budget.h"
#include "shuffle/store/segment_store.h"

namespace spillway {

/// A decoded block: `bytes` holds `records` encoded records; SPILLWAY_PADDING_BYTES are readable
/// behind them.
struct Block {
  std::string_view bytes;
  std::uint32_t records = 0;
};

/// A source of the blocks of one sorted run, for the merge. Blocks come in order.
class BlockSource {
 public:
  virtual ~BlockSource() = default;
  /// False at the end. The previous block is invalid after this call.
  virtual Result<bool> Next(Block* block) = 0;
  /// Memory that this source needs while it is open.
  virtual std::uint64_t buffer_bytes() const = 0;
};

class SegmentReader {
 public:
  /// Reads and checks footer and index. `expected` is the place the bytes must belong to.
  static Result<std::shared_ptr<const SegmentReader>> Open(std::shared_ptr<SegmentBytes> bytes,
                                                           const SegmentId& expected);

  std::uint32_t runs() const;
  std::uint32_t partitions() const;
  const Extent& extent(std::uint32_t run, std::uint32_t partition) const;
  /// All of `partitions` are less than partitions(). A view into the index: costs nothing, however
  /// many they are.
  RunExtents extents(std::uint32_t run, const PartitionRange& partitions) const;
  const SegmentId& id() const;

  struct OpenOptions {
    bool release_behind = false;  ///< Tell the store that blocks are consumed once read.
    /// Stored bytes fetched by one read where they do not lie in memory; an extent or block decides
    /// when it is smaller or larger. Part of buffer_bytes().
    std::uint32_t read_ahead_bytes = 128 << 10;
  };
  /// The blocks of one run and partition. Buffers are charged to `budget` (forced: the caller has
  /// bounded the number of open sources by their buffer_bytes). The reader outlives the source.
  std::unique_ptr<BlockSource> OpenRun(std::uint32_t run, std::uint32_t partition,
                                       MemoryBudget& budget, const OpenOptions& options) const;

  ~SegmentReader();

 private:
  SegmentReader();
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace spillway
