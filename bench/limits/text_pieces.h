// TextPieces: an input file in memory as a whole, cut at the ends of lines into pieces of about
// equal size, for programs that parse once and compute for long. Read by several threads; immutable
// afterwards, so that any thread may look at any piece.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bench/limits/files.h"

namespace spillway::limits {

class TextPieces {
 public:
  /// As many pieces as threads, fewer of a short file; an empty file has one empty piece.
  TextPieces(const std::string& path, unsigned threads);

  std::size_t count() const { return cuts_.size() - 1; }
  std::string_view piece(std::size_t i) const {
    return {buffer_.data() + cuts_[i], cuts_[i + 1] - cuts_[i]};
  }

  /// Ends the program: `what` is wrong at `at`, which lies in a piece.
  [[noreturn]] void FailAt(const char* at, const std::string& what) const;

 private:
  std::string path_;
  LargeBuffer buffer_;
  std::vector<std::size_t> cuts_;
};

/// The number at `at` and the first byte behind it; null when there is none. Numbers are parted by
/// blanks or tabs, and end before `end`.
const char* ReadNumber(const char* at, const char* end, double* number);
const char* ReadNumber(const char* at, const char* end, std::uint32_t* number);

/// The first byte that is neither blank, tab nor CR.
inline const char* SkipBlanks(const char* at, const char* end) {
  while (at < end && (*at == ' ' || *at == '\t' || *at == '\r')) ++at;
  return at;
}

}  // namespace spillway::limits
