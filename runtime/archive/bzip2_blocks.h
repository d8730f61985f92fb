// Bzip2Blocks: the text of a range of a bzip2 archive, block by block. A block begins at any bit
// with 48 bits that mark it, and is decoded alone: it goes to the library as a stream of its own,
// moved to a byte's beginning. Its checksum is checked, as is that of a stream which is read from
// its beginning. The mark may come about within a block's data, by a chance of 2^-48 for each bit:
// what cannot be decoded is tried up to the mark behind, and where ranges meet they agree on the
// same mark, or the archive cannot be split. One task, one thread.
#pragma once

#include <bzlib.h>

#include <cstdint>
#include <optional>
#include <string>

#include "mapreduce/base/file_system.h"
#include "runtime/archive/archive_text.h"
#include "shuffle/store/memory_budget.h"

namespace spillway {

class Bzip2Blocks final : public ArchiveText {
 public:
  /// No block is longer, with codes of the greatest length for each of its 900 000 symbols.
  static constexpr std::uint64_t kWindowBytes = 5 << 19;
  /// What decoding takes in all.
  static constexpr std::uint64_t kMemoryBytes = kWindowBytes + 3'700'000 + (128 << 10);

  /// `file` and `memory` outlive it.
  Bzip2Blocks(const ReadableFile& file, ArchiveSource source, MemoryBudget& memory);
  ~Bzip2Blocks() override;

  Result<bool> Open() override;
  Result<std::uint64_t> Read(std::uint64_t bytes, char* to) override;
  std::uint64_t file_position() const override { return at_ / 8; }

 private:
  enum class Step { kMark, kBlock };

  Status BeginStream(std::uint64_t byte);
  Status PassMark();
  Status EndStream();
  Status LeaveRange();
  Status BeginBlock();
  Result<std::uint64_t> DecodeBlock(std::uint64_t bytes, char* to);
  bool Feed();
  void EndBlock();
  Result<bool> ExtendBlock();
  bool StartDecoder();

  Status ShowFrom(std::uint64_t byte);
  Result<std::optional<std::uint64_t>> FindBlock(std::uint64_t from_byte, std::uint64_t to_byte);
  std::optional<std::uint64_t> FindMark(std::uint64_t from_bit, bool ends_too) const;
  std::uint64_t Bits(std::uint64_t bit, unsigned count) const;
  std::uint64_t window_end() const { return window_begin_ + window_bytes_; }

  Buffer window_;  ///< Of the compressed file; zeros behind what is there.
  std::uint64_t window_begin_ = 0;
  std::uint64_t window_bytes_ = 0;

  Step step_ = Step::kMark;
  std::uint64_t at_ = 0;    ///< The bit of a mark: the next one, or that of the block.
  std::uint64_t next_ = 0;  ///< Of the mark behind the block.
  unsigned tries_ = 0;      ///< To decode the block, each up to another mark.
  /// Of the blocks of the stream so far; empty where it is not read from its beginning.
  std::optional<std::uint32_t> stream_checksum_;

  bz_stream decoder_{};
  bool decoder_open_ = false;
  std::uint64_t fed_bits_ = 0;  ///< Of the block.
  bool fed_tail_ = false;
  bool gave_text_ = false;  ///< Of the block.
  char feed_[4096];
};

}  // namespace spillway
