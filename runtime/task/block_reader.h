// BlockReader: the bytes of one split as blocks of whole records. A record belongs to the split in
// which its first byte lies, so a record that crosses a boundary is read once, by the split it
// begins in, which reads on past its own end for it. Of a compressed file offsets are those of its
// text. Where it is split, by the entries of archive_text.h, nobody knows how much text is before a
// split: its offsets begin with the place of its first entry in the file. And nobody sees the byte
// before it, so that a record which begins with an entry belongs to the split before.
// One task, one thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>

#include "mapreduce/abi.h"
#include "mapreduce/base/file_system.h"
#include "runtime/archive/archive_text.h"
#include "shuffle/store/memory_budget.h"

namespace spillway {

struct BlockReaderOptions {
  std::uint64_t block_bytes = 256 << 10;      ///< Read at a time; fits the second-level cache.
  std::uint64_t record_bytes_max = 1u << 30;  ///< A longer record is bad data.
  std::uint64_t decoder_bytes = 0;            ///< Set aside for decoding a compressed file.
};

/// What part of which file. `path` and `file` outlive the reader.
struct SplitRange {
  std::string path;
  std::uint32_t file_index = 0;
  std::uint64_t file_bytes = 0;  ///< As planned; a file that has shrunk since is an error.
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
  std::uint64_t inode = 0;  ///< With mtime_ns, as planned; 0: not known.
  std::int64_t mtime_ns = 0;
  std::string name = {};    ///< For user code and people; empty: the path.
  std::uint32_t input = 0;  ///< Of the job's, where they have names.

  const std::string& shown() const { return name.empty() ? path : name; }
  bool is_archive() const { return ArchiveKindOf(path) != ArchiveKind::kNone; }
  bool is_whole() const { return offset == 0 && bytes >= file_bytes; }
  /// The place of a record, for people.
  std::string PlaceText(std::uint64_t record_offset) const {
    return RecordPlaceText(shown(), record_offset, offset > 0);
  }
};

class BlockReader {
 public:
  /// The block's buffer is the task's own; `spare` is asked for more when a record is longer.
  BlockReader(const ReadableFile& file, const SplitRange& range, const spillway_framing& framing,
              const BlockReaderOptions& options, MemoryBudget& spare);

  /// Fills in the next block; false at the split's end. The block is valid until the next call.
  /// BadData names path and offset.
  Result<bool> Next(spillway_block* block);

  /// Bytes of records handed out so far.
  std::uint64_t bytes_done() const { return bytes_done_; }
  /// Bytes of the file that they took: fewer, where it is compressed.
  std::uint64_t file_bytes_done() const;

 private:
  /// Where a block may end, in the buffer: kNone when more bytes are needed.
  static constexpr std::uint64_t kNone = UINT64_MAX;
  /// Where the text of an archive ends, as long as its end was not seen.
  static constexpr std::uint64_t kUnknownEnd = UINT64_MAX / 2;

  Status FindFirstRecord();
  Status FindFirstRecordOfText();
  Result<std::uint64_t> FindCut();
  Result<std::uint64_t> FindFixedCut();
  Result<std::uint64_t> FindCustomCut();
  std::uint64_t FindDelimiter(std::uint64_t from, std::uint64_t to) const;
  std::uint64_t FindLastDelimiter(std::uint64_t from, std::uint64_t to) const;
  Status ReadMore();
  Status ReadMoreText();
  Status GrowBuffer();
  Status Bad(std::uint64_t buffer_offset, const std::string& what) const;

  std::uint64_t FilePosition(std::uint64_t in_buffer) const { return base_ + in_buffer; }
  bool AtFileEnd() const { return base_ + filled_ == file_end_; }
  /// Behind the first byte of the last record that may begin here.
  std::uint64_t SplitEnd() const {
    return archive_ != nullptr ? std::min(text_end_, file_end_) : range_.offset + range_.bytes;
  }

  const ReadableFile& file_;
  const SplitRange range_;
  const spillway_framing framing_;
  const BlockReaderOptions options_;
  MemoryBudget& spare_;
  const std::unique_ptr<ArchiveText> archive_;  ///< Null: the file is not compressed.

  Buffer buffer_;
  std::uint64_t file_end_;  ///< Or kUnknownEnd.
  /// Behind the text that is this split's and one byte more, or kUnknownEnd.
  std::uint64_t text_end_ = kUnknownEnd;
  std::uint64_t base_ = 0;     ///< Offset of buffer_[0] in the file, or in an archive's text.
  std::uint64_t begin_ = 0;    ///< First byte not handed out yet.
  std::uint64_t filled_ = 0;   ///< Bytes in the buffer.
  std::uint64_t scanned_ = 0;  ///< No cut lies in [begin_, scanned_).
  bool started_ = false;
  bool ended_ = false;
  std::uint64_t bytes_done_ = 0;
};

}  // namespace spillway
