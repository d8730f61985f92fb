#include "bench/limits/word_pieces.h"

#include <algorithm>
#include <cstring>

namespace spillway::limits {

void WordPieces::Open(const InputFile& file, std::uint64_t begin, std::uint64_t end) {
  file_ = &file;
  end_ = std::min(end, file.bytes);
  overread_bytes_ = kOverreadBytes;
  inside_word_ = begin > 0;
  position_ = inside_word_ ? begin - 1 : 0;
}

/// How much of the buffer, filled from position_, is whole words that begin before end_. Zero when
/// the buffer ends inside its only word.
std::size_t WordPieces::WholeWords(std::size_t filled, bool file_ended) const {
  if (position_ + filled > end_) {
    std::size_t cut = static_cast<std::size_t>(end_ - position_);
    if (cut == 0 || !IsWordByte(buffer_[cut - 1])) return cut;
    while (cut < filled && IsWordByte(buffer_[cut])) ++cut;
    return cut < filled || file_ended ? cut : 0;
  }
  if (file_ended) return filled;
  std::size_t cut = filled;
  while (cut > 0 && IsWordByte(buffer_[cut - 1])) --cut;
  return cut;
}

bool WordPieces::Next() {
  while (position_ < end_) {
    const std::size_t room = buffer_.size() - kPadBytes;
    const std::uint64_t wanted = std::min<std::uint64_t>(room, end_ - position_ + overread_bytes_);
    const std::size_t filled = file_->ReadAt(position_, buffer_.data(), wanted);
    const bool file_ended = filled < wanted || position_ + filled == file_->bytes;
    if (filled == 0) break;  // The file became shorter meanwhile.

    std::size_t begin = 0;
    if (inside_word_) {
      while (begin < filled && IsWordByte(buffer_[begin])) ++begin;
      if (begin == filled || position_ + begin >= end_) {
        position_ += begin;
        continue;
      }
      inside_word_ = false;
    }
    const std::size_t end = WholeWords(filled, file_ended);
    if (end <= begin) {
      position_ += begin;
      overread_bytes_ *= 2;
      buffer_.resize(2 * room + kPadBytes);
      continue;
    }
    std::memset(buffer_.data() + end, ' ', kPadBytes);
    text_ = {buffer_.data() + begin, end - begin};
    text_offset_ = position_ + begin;
    position_ += end;
    return true;
  }
  return false;
}

}  // namespace spillway::limits
