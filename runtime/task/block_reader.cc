#include "runtime/task/block_reader.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "mapreduce/base/units.h"

namespace spillway {

namespace {

/// Past its end a split reads on in steps of this size, until its last record is whole.
constexpr std::uint64_t kTailBytes = 16 << 10;

std::string ShortRecordText(std::uint64_t bytes, std::uint64_t record_bytes) {
  return "the last record has " + std::to_string(bytes) + " of " + std::to_string(record_bytes) +
         " bytes; is this the right input format?";
}

std::unique_ptr<ArchiveText> MakeText(const ReadableFile& file, const SplitRange& range,
                                      const BlockReaderOptions& options, MemoryBudget& memory) {
  ArchiveSource source{ArchiveKindOf(range.path), range.shown(), range.file_bytes,
                       options.decoder_bytes};
  if (source.kind == ArchiveKind::kNone) return nullptr;
  source.begin = range.offset;
  source.end = range.offset + range.bytes;
  return MakeArchiveText(file, std::move(source), memory);
}

}  // namespace

BlockReader::BlockReader(const ReadableFile& file, const SplitRange& range,
                         const spillway_framing& framing, const BlockReaderOptions& options,
                         MemoryBudget& spare)
    : file_(file),
      range_(range),
      framing_(framing),
      options_(options),
      spare_(spare),
      archive_(MakeText(file, range, options, spare)),
      file_end_(archive_ == nullptr ? range.file_bytes : kUnknownEnd) {}

Status BlockReader::Bad(std::uint64_t buffer_offset, const std::string& what) const {
  return BadData(range_.PlaceText(FilePosition(buffer_offset)) + ": " + what);
}

Result<bool> BlockReader::Next(spillway_block* block) {
  if (!started_) SPILLWAY_RETURN_IF_ERROR(FindFirstRecord());
  if (ended_) return false;
  std::uint64_t cut = kNone;
  while (true) {
    SPILLWAY_ASSIGN_OR_RETURN(cut, FindCut());
    if (cut != kNone) break;
    SPILLWAY_RETURN_IF_ERROR(ReadMore());
  }
  if (cut == begin_) {
    ended_ = true;
    return false;
  }
  block->struct_bytes = sizeof *block;
  block->file_index = range_.file_index;
  block->data = buffer_.data() + begin_;
  block->bytes = cut - begin_;
  block->file_offset = FilePosition(begin_);
  block->path = range_.shown().c_str();
  block->skips = nullptr;
  block->skip_count = 0;
  block->input = range_.input;
  bytes_done_ += block->bytes;
  begin_ = cut;
  scanned_ = cut;
  ended_ = FilePosition(cut) >= SplitEnd();
  return true;
}

Status BlockReader::FindFirstRecord() {
  started_ = true;
  if (range_.bytes == 0) {
    ended_ = true;
    return OkStatus();
  }
  const std::uint64_t wanted = std::min(options_.block_bytes, file_end_ + 1);
  SPILLWAY_ASSIGN_OR_RETURN(buffer_,
                            Buffer::AllocateForced(spare_, std::max<std::uint64_t>(wanted, 4096)));
  if (archive_ != nullptr) return FindFirstRecordOfText();
  if (framing_.kind == SPILLWAY_FRAMING_FIXED) {
    const std::uint64_t record = framing_.fixed_bytes;
    if (range_.file_bytes % record != 0)
      return Bad(range_.file_bytes / record * record,
                 ShortRecordText(range_.file_bytes % record, record));
    base_ = (range_.offset + record - 1) / record * record;
    ended_ = base_ >= SplitEnd();
    return OkStatus();
  }
  base_ = range_.offset;
  if (range_.offset == 0) return OkStatus();
  if (framing_.kind == SPILLWAY_FRAMING_CUSTOM) {
    while (true) {
      const std::uint64_t start = framing_.find_start(buffer_.data(), filled_, AtFileEnd() ? 1 : 0);
      if (start != UINT64_MAX) {
        begin_ = scanned_ = start;
        break;
      }
      if (AtFileEnd()) {
        ended_ = true;
        return OkStatus();
      }
      SPILLWAY_RETURN_IF_ERROR(ReadMore());
    }
    ended_ = FilePosition(begin_) >= SplitEnd();
    return OkStatus();
  }
  // A record begins at p when the byte at p - 1 is a delimiter. The first such p in the split is
  // searched from the byte before it; a split that holds no record start has nothing to read.
  base_ = range_.offset - 1;
  while (true) {
    const std::uint64_t to = std::min(filled_, SplitEnd() - 1 - base_);
    const std::uint64_t at = FindDelimiter(0, to);
    if (at != kNone) {
      begin_ = scanned_ = at + 1;
      return OkStatus();
    }
    if (base_ + filled_ >= SplitEnd() - 1) {
      ended_ = true;
      return OkStatus();
    }
    base_ += filled_;  // Nothing of the foreign record is kept.
    filled_ = 0;
    SPILLWAY_RETURN_IF_ERROR(ReadMore());
  }
}

Status BlockReader::FindFirstRecordOfText() {
  if (range_.is_whole()) return OkStatus();
  if (framing_.kind != SPILLWAY_FRAMING_DELIMITED && framing_.kind != SPILLWAY_FRAMING_SPACES)
    return InvalidArgument(range_.shown() + ": an archive is split at delimiters only");
  SPILLWAY_ASSIGN_OR_RETURN(const bool has_text, archive_->Open());
  if (!has_text) {
    ended_ = true;
    return OkStatus();
  }
  base_ = archive_->first_byte();
  if (range_.offset == 0) return OkStatus();
  // The record that the split begins with, or in, is of the one before.
  while (true) {
    const std::uint64_t at = FindDelimiter(0, filled_);
    if (at != kNone) {
      begin_ = scanned_ = at + 1;
      ended_ = FilePosition(begin_) >= SplitEnd();
      return OkStatus();
    }
    base_ += filled_;
    filled_ = 0;
    if (base_ >= SplitEnd() - 1 || AtFileEnd()) {
      ended_ = true;
      return OkStatus();
    }
    SPILLWAY_RETURN_IF_ERROR(ReadMore());
  }
}

Result<std::uint64_t> BlockReader::FindCut() {
  if (framing_.kind == SPILLWAY_FRAMING_CUSTOM) return FindCustomCut();
  if (framing_.kind == SPILLWAY_FRAMING_FIXED) return FindFixedCut();
  const std::uint64_t position = base_ + filled_;
  if (position >= SplitEnd()) {
    // All of the split is here: the last block ends with the record that holds its last byte.
    const std::uint64_t last_byte = SplitEnd() - 1 - base_;
    const std::uint64_t at = FindDelimiter(std::max(scanned_, last_byte), filled_);
    if (at != kNone) return at + 1;
    scanned_ = std::max(scanned_, filled_);
    return AtFileEnd() ? filled_ : kNone;
  }
  const std::uint64_t at = FindLastDelimiter(scanned_, filled_);
  if (at != kNone) return at + 1;
  scanned_ = filled_;
  return kNone;
}

Result<std::uint64_t> BlockReader::FindFixedCut() {
  const std::uint64_t record = framing_.fixed_bytes;
  if (archive_ != nullptr && AtFileEnd()) {
    const std::uint64_t rest = (filled_ - begin_) % record;
    if (rest != 0) return Bad(filled_ - rest, ShortRecordText(rest, record));
    return filled_;
  }
  const std::uint64_t end = (SplitEnd() + record - 1) / record * record;
  const std::uint64_t have = std::min(filled_, end - base_);
  const std::uint64_t whole = (have - begin_) / record * record;
  return whole == 0 ? kNone : begin_ + whole;
}

Result<std::uint64_t> BlockReader::FindCustomCut() {
  const bool at_end = AtFileEnd();
  while (FilePosition(scanned_) < SplitEnd() && scanned_ < filled_) {
    const std::uint64_t bytes =
        framing_.record_bytes(buffer_.data() + scanned_, filled_ - scanned_, at_end ? 1 : 0);
    if (bytes == UINT64_MAX) return Bad(scanned_, "malformed record");
    if (bytes == 0) {
      if (at_end) return Bad(scanned_, "the file ends within a record");
      break;
    }
    if (bytes > filled_ - scanned_)
      return Status(Code::kUserCode, "the input format says that the record at " +
                                         range_.PlaceText(FilePosition(scanned_)) +
                                         " is longer than the bytes it was shown");
    scanned_ += bytes;
  }
  if (FilePosition(scanned_) >= SplitEnd() || (at_end && scanned_ == filled_)) return scanned_;
  // A full buffer is worth handing out; otherwise fill it first.
  if (scanned_ > begin_ && filled_ == buffer_.size()) return scanned_;
  return kNone;
}

std::uint64_t BlockReader::FindDelimiter(std::uint64_t from, std::uint64_t to) const {
  if (from >= to) return kNone;
  const char* const data = buffer_.data();
  if (framing_.kind == SPILLWAY_FRAMING_DELIMITED) {
    const void* at = std::memchr(data + from, framing_.delimiter, to - from);
    return at == nullptr ? kNone : static_cast<std::uint64_t>(static_cast<const char*>(at) - data);
  }
  for (std::uint64_t i = from; i < to; ++i)
    if (static_cast<unsigned char>(data[i]) <= 0x20) return i;
  return kNone;
}

std::uint64_t BlockReader::FindLastDelimiter(std::uint64_t from, std::uint64_t to) const {
  if (from >= to) return kNone;
  const char* const data = buffer_.data();
  if (framing_.kind == SPILLWAY_FRAMING_DELIMITED) {
    const void* at = memrchr(data + from, framing_.delimiter, to - from);
    return at == nullptr ? kNone : static_cast<std::uint64_t>(static_cast<const char*>(at) - data);
  }
  for (std::uint64_t i = to; i > from; --i)
    if (static_cast<unsigned char>(data[i - 1]) <= 0x20) return i - 1;
  return kNone;
}

Status BlockReader::ReadMore() {
  if (begin_ > 0 && filled_ > 0) {
    // What is left over begins the next block.
    std::memmove(buffer_.data(), buffer_.data() + begin_, filled_ - begin_);
    base_ += begin_;
    filled_ -= begin_;
    scanned_ -= begin_;
    begin_ = 0;
  }
  if (filled_ == buffer_.size()) SPILLWAY_RETURN_IF_ERROR(GrowBuffer());
  if (archive_ != nullptr) return ReadMoreText();
  const std::uint64_t position = base_ + filled_;
  const std::uint64_t room = buffer_.size() - filled_;
  const std::uint64_t split_left = position < SplitEnd() ? SplitEnd() - position : kTailBytes;
  const std::uint64_t want = std::min({room, split_left, range_.file_bytes - position});
  SPILLWAY_ASSIGN_OR_RETURN(const std::uint64_t got,
                            file_.ReadAt(position, want, buffer_.data() + filled_));
  if (got < want || want == 0)
    return Bad(filled_ + got, "the file became shorter while the job ran (it had " +
                                  std::to_string(range_.file_bytes) + " bytes)");
  filled_ += got;
  return OkStatus();
}

Status BlockReader::ReadMoreText() {
  const std::uint64_t room = buffer_.size() - filled_;
  const bool left = archive_->left_range();
  SPILLWAY_ASSIGN_OR_RETURN(
      const std::uint64_t got,
      archive_->Read(left ? std::min(room, kTailBytes) : room, buffer_.data() + filled_));
  filled_ += got;
  if (archive_->left_range() && !left) text_end_ = base_ + filled_ + 1;
  if (archive_->at_end()) file_end_ = base_ + filled_;
  return OkStatus();
}

std::uint64_t BlockReader::file_bytes_done() const {
  if (archive_ == nullptr) return bytes_done_;
  if (range_.is_whole()) return archive_->file_position();
  // What it reads beyond its end, and does not read before its first entry, others count as theirs.
  const std::uint64_t position = std::max(archive_->file_position(), range_.offset);
  return ended_ ? range_.bytes : std::min(position - range_.offset, range_.bytes);
}

Status BlockReader::GrowBuffer() {
  const std::uint64_t bytes = std::min(2 * buffer_.size(), options_.record_bytes_max);
  if (bytes <= buffer_.size())
    return Bad(begin_, "a record is longer than " + FormatBytes(options_.record_bytes_max) +
                           "; give the job more --memory, or is this the right input format?");
  Result<Buffer> larger = Buffer::Allocate(spare_, bytes);
  if (!larger.ok())
    return Bad(begin_, "a record is longer than the memory that is left for it (" +
                           FormatBytes(buffer_.size()) + " read so far); raise --memory");
  std::memcpy(larger->data(), buffer_.data(), filled_);
  buffer_ = std::move(larger).value();
  return OkStatus();
}

}  // namespace spillway
