#include "runtime/filter/record_blocks.h"

#include <cstring>

namespace spillway {

Status RecordBlocks::Bad(std::uint64_t at, const std::string& what) const {
  return BadData(input_.name() + ":" + std::to_string(input_.offset() + at) + ": " + what);
}

Result<bool> RecordBlocks::Next(spillway_block* block) {
  input_.Consume(block_bytes_);
  block_bytes_ = scanned_ = 0;
  while (block_bytes_ == 0) {
    SPILLWAY_ASSIGN_OR_RETURN(block_bytes_, FindCut());
    if (block_bytes_ > 0) break;
    if (input_.at_end()) return false;
    SPILLWAY_RETURN_IF_ERROR(input_.ReadMore());
  }
  block->struct_bytes = sizeof *block;
  block->file_index = 0;
  block->data = input_.data();
  block->bytes = block_bytes_;
  block->file_offset = input_.offset();
  block->path = input_.name().c_str();
  block->skips = nullptr;
  block->skip_count = 0;
  return true;
}

Result<std::uint64_t> RecordBlocks::FindCut() {
  const char* const data = input_.data();
  const std::uint64_t bytes = input_.size();
  if (framing_.kind == SPILLWAY_FRAMING_CUSTOM) return FindCustomCut();
  if (framing_.kind == SPILLWAY_FRAMING_FIXED) {
    const std::uint64_t whole = bytes / framing_.fixed_bytes * framing_.fixed_bytes;
    if (whole == 0 && input_.at_end() && bytes > 0)
      return Bad(0, "the last record has " + std::to_string(bytes) + " of " +
                        std::to_string(framing_.fixed_bytes) +
                        " bytes; is this the right input format?");
    return whole;
  }
  if (input_.at_end()) return bytes;
  for (std::uint64_t at = bytes; at > scanned_; --at) {
    const auto byte = static_cast<unsigned char>(data[at - 1]);
    if (framing_.kind == SPILLWAY_FRAMING_DELIMITED ? byte == framing_.delimiter : byte <= 0x20)
      return at;
  }
  scanned_ = bytes;
  return std::uint64_t{0};
}

Result<std::uint64_t> RecordBlocks::FindCustomCut() {
  const std::uint64_t bytes = input_.size();
  while (scanned_ < bytes) {
    const std::uint64_t record =
        framing_.record_bytes(input_.data() + scanned_, bytes - scanned_, input_.at_end() ? 1 : 0);
    if (record == UINT64_MAX) return Bad(scanned_, "malformed record");
    if (record > bytes - scanned_)
      return UserCodeError("the input format says that the record at " + input_.name() + ":" +
                           std::to_string(input_.offset() + scanned_) +
                           " is longer than the bytes it was shown");
    if (record == 0 && input_.at_end()) return Bad(scanned_, "the input ends within a record");
    if (record == 0) break;
    scanned_ += record;
  }
  return scanned_;
}

}  // namespace spillway
