#include "bench/limits/text_pieces.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "bench/limits/command_line.h"
#include "bench/limits/parallel.h"

namespace spillway::limits {
namespace {

constexpr int kExitBadData = 65;
constexpr std::size_t kSlackBytes = 64;

template <class Number>
const char* Read(const char* at, const char* end, Number* number) {
  at = SkipBlanks(at, end);
  const auto [behind, error] = std::from_chars(at, end, *number);
  if (error != std::errc()) return nullptr;
  const bool ended = behind == end || static_cast<unsigned char>(*behind) <= ' ';
  return ended ? behind : nullptr;
}

}  // namespace

TextPieces::TextPieces(const std::string& path, unsigned threads) : path_(path) {
  const InputFile file = InputFile::Open(path);
  buffer_ = LargeBuffer(file.bytes + kSlackBytes);
  RunThreads(threads, [&](unsigned i) {
    const std::uint64_t begin = file.bytes * i / threads;
    const std::uint64_t end = file.bytes * (i + 1) / threads;
    for (std::uint64_t at = begin; at < end;) {
      const std::size_t got = file.ReadAt(at, buffer_.data() + at, end - at);
      if (got == 0) break;
      at += got;
    }
  });
  cuts_.push_back(0);
  for (unsigned i = 1; i < threads; ++i) {
    const std::size_t from = std::max<std::size_t>(file.bytes * i / threads, cuts_.back());
    const auto* newline =
        static_cast<const char*>(std::memchr(buffer_.data() + from, '\n', file.bytes - from));
    if (newline == nullptr) break;
    const auto cut = static_cast<std::size_t>(newline + 1 - buffer_.data());
    if (cut > cuts_.back()) cuts_.push_back(cut);
  }
  cuts_.push_back(file.bytes);
}

void TextPieces::FailAt(const char* at, const std::string& what) const {
  errno = 0;
  Fail(kExitBadData, path_ + ":" + std::to_string(at - buffer_.data()) + ": " + what);
}

const char* ReadNumber(const char* at, const char* end, double* number) {
  return Read(at, end, number);
}
const char* ReadNumber(const char* at, const char* end, std::uint32_t* number) {
  return Read(at, end, number);
}

}  // namespace spillway::limits
