// PlaceNames: places in the inputs, laid end to end, as "file:offset"; and TextWriter, which
// collects text and writes it at one place of a file after the other.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bench/limits/files.h"

namespace spillway::limits {

/// Appends to a stretch of `output`. One thread owns an object.
class TextWriter {
 public:
  explicit TextWriter(const OutputFile& output)
      : output_(output), buffer_(kBufferBytes + kRoomBytes), to_(buffer_.data()) {}

  /// Goes on at `offset` of the output.
  void Seek(std::uint64_t offset) {
    Flush();
    offset_ = offset;
  }

  /// Room for kRoomBytes; Advance says how many of them were written.
  char* room() {
    if (to_ >= buffer_.data() + kBufferBytes) [[unlikely]]
      Flush();
    return to_;
  }
  void Advance(char* end) { to_ = end; }

  void Append(std::string_view text) {
    if (text.size() > kRoomBytes) {
      Flush();
      output_.WriteAt(offset_, text);
      offset_ += text.size();
      return;
    }
    std::memcpy(room(), text.data(), text.size());
    to_ += text.size();
  }

  /// The blank behind the last name becomes the end of the line. It is still in the buffer: room()
  /// flushes only before more text comes.
  void EndLine() { to_[-1] = '\n'; }

  void Flush() {
    const auto bytes = static_cast<std::size_t>(to_ - buffer_.data());
    output_.WriteAt(offset_, {buffer_.data(), bytes});
    offset_ += bytes;
    to_ = buffer_.data();
  }

  static constexpr std::size_t kRoomBytes = 8192;

 private:
  /// Stays in the second-level cache between being filled and being copied by the system.
  static constexpr std::size_t kBufferBytes = std::size_t{256} << 10;

  const OutputFile& output_;
  std::uint64_t offset_ = 0;
  std::vector<char> buffer_;
  char* to_;
};

inline constexpr std::uint64_t kEightDigits = 100'000'000;

/// The 8 decimal digits of `value` < 10^8 in the order of memory: halves, pairs and digits are
/// split side by side in one register. Multiplications only, so that loops over it vectorise.
inline std::uint64_t EightDigits(std::uint64_t value) {
  const std::uint64_t thousands = value * 109951163 >> 40;
  const std::uint64_t halves = thousands | (value - thousands * 10000) << 32;
  const std::uint64_t hundreds = (halves * 10486 >> 20) & 0x0000007f0000007f;
  const std::uint64_t pairs = hundreds | (halves - hundreds * 100) << 16;
  const std::uint64_t tens = (pairs * 103 >> 10) & 0x000f000f000f000f;
  return tens | (pairs - tens * 10) << 8 | 0x3030303030303030;
}

inline unsigned DecimalDigits(std::uint64_t value) {
  unsigned digits = 1;
  for (std::uint64_t limit = 10; value >= limit && digits < 20; limit *= 10) ++digits;
  return digits;
}

/// Writes `value`; 24 bytes must be there.
inline char* FormatNumber(std::uint64_t value, char* to) {
  if (value >= kEightDigits) {
    to = FormatNumber(value / kEightDigits, to);
    const std::uint64_t digits = EightDigits(value % kEightDigits);
    std::memcpy(to, &digits, 8);
    return to + 8;
  }
  std::uint64_t digits = EightDigits(value);
  // Leading zeros have no low bits set; the last digit is written whatever it is.
  const int zeros = std::countr_zero((digits & 0x0f0f0f0f0f0f0f0f) | std::uint64_t{1} << 56) / 8;
  digits >>= 8 * zeros;
  std::memcpy(to, &digits, 8);
  return to + 8 - zeros;
}

class PlaceNames {
 public:
  explicit PlaceNames(const std::vector<InputFile>& inputs) {
    std::uint64_t begin = 0;
    for (const InputFile& input : inputs) {
      files_.push_back({input.path + ":", begin, begin + input.bytes});
      begin += input.bytes;
    }
  }

  /// Bytes of all the names with one byte behind each; places are ascending and count from `base`.
  std::uint64_t Measure(std::uint64_t base, std::span<const std::uint32_t> places) const {
    if (places.empty()) return 0;
    const File& file = FileOf(base + places.front());
    const std::uint64_t first = base + places.front() - file.begin;
    const std::uint64_t last = base + places.back() - file.begin;
    const unsigned digits = DecimalDigits(first);
    // Few blocks straddle files or a power of ten: most need no look at what lies between.
    if (base + places.back() < file.end && DecimalDigits(last) == digits)
      return places.size() * (file.name.size() + digits + 1);
    const std::size_t half = places.size() / 2;
    return Measure(base, places.first(half)) + Measure(base, places.subspan(half));
  }

  /// Appends the names with a blank behind each.
  void Format(std::uint64_t base, std::span<const std::uint32_t> places, TextWriter& writer) const {
    while (!places.empty()) {
      const File& file = FileOf(base + places.front());
      const std::uint64_t offset = base + places.front() - file.begin;
      // Up to the next multiple of 10^8 only the last 8 digits differ.
      const std::uint64_t window = offset - offset % kEightDigits;
      const std::uint64_t window_end = std::min(file.begin + window + kEightDigits, file.end);
      std::size_t count = places.size();
      if (base + places.back() >= window_end)
        for (count = 1; base + places[count] < window_end;) ++count;
      if (window == 0)
        FormatShortNumbers(file, base - file.begin, places.first(count), writer);
      else
        FormatWindow(file, window, base - file.begin - window, places.first(count), writer);
      places = places.subspan(count);
    }
  }

 private:
  struct File {
    std::string name;  ///< With the colon.
    std::uint64_t begin, end;
  };

  const File& FileOf(std::uint64_t place) const {
    std::size_t i = 0, end = files_.size();
    while (end - i > 1) {
      const std::size_t middle = (i + end) / 2;
      if (files_[middle].begin <= place)
        i = middle;
      else
        end = middle;
    }
    return files_[i];
  }

  /// Offsets below 10^8, of one to eight digits.
  static void FormatShortNumbers(const File& file, std::uint64_t base,
                                 std::span<const std::uint32_t> places, TextWriter& writer) {
    for (const std::uint32_t place : places) {
      char* to = writer.room();
      std::memcpy(to, file.name.data(), file.name.size());
      to = FormatNumber(base + place, to + file.name.size());
      *to++ = ' ';
      writer.Advance(to);
    }
  }

  /// Offsets `window` + the sum of `base` and a place, which is below 10^8: what stands before the
  /// last 8 digits is the same for all of them.
  static void FormatWindow(const File& file, std::uint64_t window, std::uint64_t base,
                           std::span<const std::uint32_t> places, TextWriter& writer) {
    char number[24];
    const std::string_view top = {
        number, static_cast<std::size_t>(FormatNumber(window / kEightDigits, number) - number)};
    const std::size_t before_bytes = file.name.size() + top.size();
    char before[kCopyBytes];
    if (before_bytes <= kCopyBytes) {
      std::memcpy(before, file.name.data(), file.name.size());
      std::memcpy(before + file.name.size(), top.data(), top.size());
    }
    while (!places.empty()) {
      const std::size_t count = std::min(places.size(), kBatch);
      std::uint64_t digits[kBatch];
      for (std::size_t i = 0; i < count; ++i) digits[i] = EightDigits(base + places[i]);
      if (before_bytes <= kCopyBytes) {
        char* to = writer.room();
        for (std::size_t i = 0; i < count; ++i) {
          std::memcpy(to, before, kCopyBytes);  // A fixed size: no call.
          to = AppendDigits(digits[i], to + before_bytes);
        }
        writer.Advance(to);
      } else {
        for (std::size_t i = 0; i < count; ++i) {
          writer.Append(file.name);
          writer.Append(top);
          writer.Advance(AppendDigits(digits[i], writer.room()));
        }
      }
      places = places.subspan(count);
    }
  }

  static char* AppendDigits(std::uint64_t digits, char* to) {
    std::memcpy(to, &digits, 8);
    to[8] = ' ';
    return to + 9;
  }

  static constexpr std::size_t kCopyBytes = 32;
  static constexpr std::size_t kBatch = 64;
  static_assert(kBatch * (kCopyBytes + 9) + kCopyBytes <= TextWriter::kRoomBytes);
  /// FormatShortNumbers writes a name (PATH_MAX and the colon) and a number at once.
  static_assert(4096 + 1 + 24 <= TextWriter::kRoomBytes);

  std::vector<File> files_;
};

}  // namespace spillway::limits
