// Any bytes as an archive of each kind: it is read to its end or refused, within its memory, and
// reads the same whatever is read at a time, and in ranges, if these can be read.
#include <string>
#include <string_view>

#include "mapreduce/base/check.h"
#include "runtime/archive/archive_stream.h"
#include "tests/runtime/task/string_file.h"

using namespace spillway;

namespace {

constexpr std::uint64_t kTextBytesMax = 4 << 20;
constexpr std::uint64_t kMemoryBytes = 24 << 20;

/// The text as far as it goes, and how it ended.
std::string TextOf(ArchiveKind kind, std::string_view packed, std::uint64_t at_a_time,
                   std::uint64_t buffer_bytes, bool* whole) {
  const StringFile file{std::string(packed)};
  MemoryBudget memory(kMemoryBytes);
  std::string text;
  {
    ArchiveStream stream(file, {kind, "in", packed.size()}, memory, buffer_bytes);
    std::string piece(at_a_time, '\0');
    while (text.size() < kTextBytesMax) {
      const auto got = stream.Read(piece.size(), piece.data());
      *whole = got.ok();
      if (!got.ok()) {
        SPILLWAY_CHECK(got.status().code() == Code::kBadData);
        break;
      }
      text.append(piece, 0, *got);
      if (*got < piece.size()) break;
    }
    SPILLWAY_CHECK_LE(memory.peak_bytes(), kMemoryBytes);
  }
  SPILLWAY_CHECK_EQ(memory.used_bytes(), 0u);
  return text;
}

/// What belongs to the range, and whether all of it could be read.
std::string RangeOf(ArchiveKind kind, std::string_view packed, std::uint64_t begin,
                    std::uint64_t end, bool* whole) {
  const StringFile file{std::string(packed)};
  MemoryBudget memory(kMemoryBytes);
  const ArchiveSource source{kind, "in", packed.size(), 0, begin, end};
  const auto range = MakeArchiveText(file, source, memory);
  std::string text;
  const auto opened = range->Open();
  *whole = opened.ok();
  std::string piece(64 << 10, '\0');
  while (opened.ok() && *opened && !range->left_range() && !range->at_end() &&
         text.size() < kTextBytesMax) {
    const auto got = range->Read(piece.size(), piece.data());
    *whole = got.ok();
    if (!got.ok()) break;
    text.append(piece, 0, *got);
  }
  return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view packed(reinterpret_cast<const char*>(data), size);
  for (const ArchiveKind kind :
       {ArchiveKind::kGzip, ArchiveKind::kBzip2, ArchiveKind::kZstd, ArchiveKind::kLz4}) {
    bool whole = false, again = false;
    const std::string text = TextOf(kind, packed, 64 << 10, 64 << 10, &whole);
    if (!whole || text.size() >= kTextBytesMax) continue;
    SPILLWAY_CHECK(TextOf(kind, packed, 1000, 7, &again) == text);
    SPILLWAY_CHECK(again);
    bool one = false, other = false;
    const std::string first = RangeOf(kind, packed, 0, size / 2, &one);
    const std::string second = RangeOf(kind, packed, size / 2, size, &other);
    if (one && other && size > 1) SPILLWAY_CHECK(first + second == text);
  }
  return 0;
}
