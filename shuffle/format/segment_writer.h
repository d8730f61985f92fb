// SegmentWriter: lays sorted runs of encoded records down as a segment (docs/formats/segment.md).
// A segment is one map task's whole output: one or more runs, each sorted by (partition, key,
// arrival), in blocks of about 64 KiB, with an index of (run, partition) at its end. One thread.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "mapreduce/base/status.h"
#include "shuffle/format/block_hash.h"
#include "shuffle/record/record.h"
#include "shuffle/store/segment_store.h"

namespace spillway {

enum class Compression { kNone, kLz4, kAuto };

struct SegmentWriterOptions {
  std::uint32_t block_bytes = 64 << 10;          ///< Raw bytes after which a block is closed.
  Compression compression = Compression::kAuto;  ///< kAuto: LZ4 on disk, where it gains.
  /// Blocks are gathered up to this and appended to the file at once; at least one block. The
  /// writer's memory is this, one block more while it compresses, and a record that exceeds a
  /// block.
  std::uint32_t staging_bytes = 256 << 10;
  RecordHash record_hash = RecordHash::kNone;
};

/// What the index says of one (run, partition).
struct Extent {
  std::uint64_t offset = 0;        ///< Of its first block in the segment.
  std::uint64_t stored_bytes = 0;  ///< Of all its blocks, headers included; 0: it is empty.
  std::uint64_t raw_bytes = 0;     ///< Encoded records.
  std::uint64_t records = 0;
  std::uint32_t blocks = 0;
  std::uint32_t first_block = 0;          ///< Sequence number of its first block in the segment.
  std::uint32_t raw_block_bytes_max = 0;  ///< Largest block, so that readers size their buffers.
};

/// What a run has of some neighbouring partitions: the extents that are not empty, in order, and
/// the partition of each. They lie back to back in the segment, and so do their blocks' numbers.
struct RunExtents {
  std::span<const Extent> extents;
  std::span<const std::uint32_t> partitions;
};

struct SegmentSummary {
  std::uint32_t runs = 0;
  std::uint64_t records = 0;
  std::uint64_t raw_bytes = 0;
  std::uint64_t stored_bytes = 0;
  /// Per partition a hash of its encoded records in run order, as cut into blocks; 0: it is empty.
  /// Two attempts of a deterministic task with the same block_bytes agree, compressed or not, when
  /// both wrote one run. Costs nothing.
  std::vector<std::uint64_t> partition_hashes;
  /// The same of its set of records, by SegmentWriterOptions::record_hash: agrees wherever runs
  /// were cut. Empty: not made.
  std::vector<std::uint64_t> record_hashes;
  /// Per partition the stored_bytes of its blocks.
  std::vector<std::uint64_t> partition_bytes;
};

class SegmentWriter {
 public:
  /// `file` outlives the writer.
  SegmentWriter(const SegmentId& id, std::uint32_t partitions, SegmentFile& file,
                const SegmentWriterOptions& options);
  ~SegmentWriter();

  void BeginRun();

  /// Appends one encoded record. Within a run, calls come in ascending partition order, and
  /// records of one partition in sorted order. Hot: a copy into the block buffer.
  Status Add(std::uint32_t partition, std::string_view encoded) {
    if (partition != partition_ || encoded.size() > block_room_) [[unlikely]]
      SPILLWAY_RETURN_IF_ERROR(MakeRoom(partition, encoded.size()));
    std::memcpy(block_end_, encoded.data(), encoded.size());
    block_end_ += encoded.size();
    block_room_ -= encoded.size();
    ++block_records_;
    return OkStatus();
  }

  /// The same for a record that is not encoded yet.
  Status Add(std::uint32_t partition, const Record& record) {
    const std::size_t bytes = EncodedBytes(record.key_bytes, record.value_bytes);
    if (partition != partition_ || bytes > block_room_) [[unlikely]]
      SPILLWAY_RETURN_IF_ERROR(MakeRoom(partition, bytes));
    block_end_ = EncodeRecord(record, block_end_);
    block_room_ -= bytes;
    ++block_records_;
    return OkStatus();
  }

  /// The same for a value that lies in pieces.
  Status Add(std::uint32_t partition, std::string_view key,
             std::span<const std::string_view> value_pieces) {
    std::size_t value_bytes = 0;
    for (const std::string_view piece : value_pieces) value_bytes += piece.size();
    const auto key_size = static_cast<std::uint32_t>(key.size());
    const auto value_size = static_cast<std::uint32_t>(value_bytes);
    const std::size_t bytes = EncodedBytes(key_size, value_size);
    if (partition != partition_ || bytes > block_room_) [[unlikely]]
      SPILLWAY_RETURN_IF_ERROR(MakeRoom(partition, bytes));
    block_end_ = PutVarint32(PutVarint32(block_end_, key_size), value_size);
    block_end_ = static_cast<char*>(std::memcpy(block_end_, key.data(), key_size)) + key_size;
    for (const std::string_view piece : value_pieces)
      block_end_ =
          static_cast<char*>(std::memcpy(block_end_, piece.data(), piece.size())) + piece.size();
    block_room_ -= bytes;
    ++block_records_;
    return OkStatus();
  }

  Status FinishRun();

  /// Writes index and footer. The caller commits the file.
  Result<SegmentSummary> Finish();

  std::uint32_t runs() const { return runs_; }

  /// Makes no record_hashes. Before the first run.
  void SkipRecordHashes();

 private:
  struct State;
  Status MakeRoom(std::uint32_t partition, std::size_t bytes);

  char* block_end_ = nullptr;
  std::size_t block_room_ = 0;
  std::uint32_t block_records_ = 0;
  std::uint32_t partition_ = UINT32_MAX;
  std::uint32_t runs_ = 0;
  std::unique_ptr<State> state_;
};

}  // namespace spillway
