// WordPieces: the words that begin in one byte range of a file, as pieces of text in which every
// word is whole. A word is a maximal run of bytes above 0x20. One thread owns an object.
//
// Reading with pread into a small buffer that stays in the second-level cache beats mapping the
// file: no page table work, and the memory used does not grow with the input.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "bench/limits/files.h"

namespace spillway::limits {

inline bool IsWordByte(char byte) { return static_cast<unsigned char>(byte) > 0x20; }

class WordPieces {
 public:
  static constexpr std::size_t kPieceBytes = std::size_t{256} << 10;
  /// Bytes behind text() that may be read; they are blanks.
  static constexpr std::size_t kPadBytes = 64;

  WordPieces() : buffer_(kPieceBytes + kPadBytes) {}

  /// Starts on the words that begin in [begin, end) of `file`, which must stay alive.
  void Open(const InputFile& file, std::uint64_t begin, std::uint64_t end);

  /// The next piece; false at the end of the range.
  bool Next();

  /// Valid until the next call.
  std::string_view text() const { return text_; }
  /// Where text() begins in the file.
  std::uint64_t offset() const { return text_offset_; }

 private:
  std::size_t WholeWords(std::size_t filled, bool file_ended) const;

  const InputFile* file_ = nullptr;
  std::uint64_t position_ = 0;
  std::uint64_t end_ = 0;
  /// Read beyond the range for the word that crosses its end; longer words make it grow.
  static constexpr std::uint64_t kOverreadBytes = 512;
  std::uint64_t overread_bytes_ = kOverreadBytes;
  bool inside_word_ = false;  ///< The bytes at position_ may belong to a word of the range before.
  std::vector<char> buffer_;
  std::string_view text_;
  std::uint64_t text_offset_ = 0;
};

}  // namespace spillway::limits
