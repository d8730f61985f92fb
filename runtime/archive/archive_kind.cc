#include "runtime/archive/archive_kind.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "mapreduce/base/units.h"

namespace spillway {

namespace {

constexpr std::pair<std::string_view, ArchiveKind> kEndings[] = {{".gz", ArchiveKind::kGzip},
                                                                 {".bz2", ArchiveKind::kBzip2},
                                                                 {".zst", ArchiveKind::kZstd},
                                                                 {".lz4", ArchiveKind::kLz4}};

constexpr std::string_view kOtherEndings[] = {".7z",  ".br", ".lzma", ".rar", ".tbz2", ".tgz",
                                              ".txz", ".xz", ".zip",  ".Z",   ".GZ",   ".BZ2"};

// State and window of an inflate.
constexpr std::uint64_t kGzipBytes = 48 * kKiB;
// The state, and four bytes for each of a block, which has up to nine times so many.
constexpr std::uint64_t kBzip2Bytes = 100 * kKiB;
constexpr std::uint64_t kBzip2BytesPerLevel = std::uint64_t{4} * 100'000;
// A context, and blocks on their way in and out.
constexpr std::uint64_t kZstdBytes = 192 * kKiB;
constexpr std::uint64_t kZstdBlockBytesMax = 128 * kKiB;
// The history that blocks may refer to.
constexpr std::uint64_t kLz4Bytes = 192 * kKiB;

std::uint64_t Byte(std::string_view head, std::size_t at) {
  return static_cast<unsigned char>(head[at]);
}

std::uint64_t LittleEndian(std::string_view head, std::size_t at, std::size_t bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes; ++i) value |= Byte(head, at + i) << (8 * i);
  return value;
}

bool IsSkippable(std::string_view head) {
  return head.size() >= 4 && (LittleEndian(head, 0, 4) & 0xfffffff0) == 0x184d2a50;
}

bool IsZstd(std::string_view head) {
  return head.size() >= 4 && LittleEndian(head, 0, 4) == 0xfd2fb528;
}

bool IsLz4(std::string_view head) {
  return head.size() >= 4 && LittleEndian(head, 0, 4) == 0x184d2204;
}

/// The window of a zstd frame: RFC 8878, 3.1.1.1. Zero where the header is not whole.
std::uint64_t ZstdWindowBytes(std::string_view head) {
  if (head.size() < 6) return 0;
  const std::uint64_t descriptor = Byte(head, 4);
  const bool single_segment = (descriptor & 0x20) != 0;
  if (!single_segment) {
    const std::uint64_t base = std::uint64_t{1} << (10 + (Byte(head, 5) >> 3));
    return base + base / 8 * (Byte(head, 5) & 7);
  }
  constexpr std::size_t kDictionaryBytes[] = {0, 1, 2, 4};
  constexpr std::size_t kSizeBytes[] = {1, 2, 4, 8};
  const std::size_t at = 5 + kDictionaryBytes[descriptor & 3];
  const std::size_t bytes = kSizeBytes[descriptor >> 6];
  if (head.size() < at + bytes) return 0;
  return LittleEndian(head, at, bytes) + (bytes == 2 ? 256 : 0);
}

/// The blocks of an lz4 frame, by its header's second byte.
std::uint64_t Lz4BlockBytes(std::string_view head) {
  const std::uint64_t id = head.size() < 6 ? 0 : (Byte(head, 5) >> 4) & 7;
  return id < 4 ? 0 : 64 * kKiB << (2 * (id - 4));
}

}  // namespace

ArchiveKind ArchiveKindOf(std::string_view path) {
  for (const auto& [ending, kind] : kEndings)
    if (path.ends_with(ending)) return kind;
  return ArchiveKind::kNone;
}

bool IsOtherArchive(std::string_view path) {
  return std::any_of(std::begin(kOtherEndings), std::end(kOtherEndings),
                     [path](std::string_view ending) { return path.ends_with(ending); });
}

ArchiveKind ArchiveKindByContent(std::string_view head) {
  for (const auto& [ending, kind] : kEndings)
    if (MemberMemoryBytes(kind, head).has_value()) return kind;
  return ArchiveKind::kNone;
}

const char* ArchiveKindName(ArchiveKind kind) {
  switch (kind) {
    case ArchiveKind::kNone: break;
    case ArchiveKind::kGzip: return "gzip";
    case ArchiveKind::kBzip2: return "bzip2";
    case ArchiveKind::kZstd: return "zstd";
    case ArchiveKind::kLz4: return "lz4";
  }
  return "";
}

std::string RecordPlaceText(const std::string& path, std::uint64_t offset, bool in_split) {
  const std::string place = path + ":" + std::to_string(offset);
  if (ArchiveKindOf(path) == ArchiveKind::kNone) return place;
  return place + (in_split ? " (of the text of a split, counted from its place in the file)"
                           : " (of the decompressed text)");
}

std::optional<std::uint64_t> SkippableFrameBytes(std::string_view head) {
  constexpr std::size_t kHeadBytes = 8;
  if (head.size() < kHeadBytes || !IsSkippable(head)) return std::nullopt;
  return kHeadBytes + LittleEndian(head, 4, 4);
}

std::optional<std::uint64_t> MemberMemoryBytes(ArchiveKind kind, std::string_view head) {
  switch (kind) {
    case ArchiveKind::kNone: break;
    case ArchiveKind::kGzip:
      if (!head.starts_with("\x1f\x8b\x08")) break;
      return kGzipBytes;
    case ArchiveKind::kBzip2:
      if (!head.starts_with("BZh") || head.size() < 4 || head[3] < '1' || head[3] > '9') break;
      return kBzip2Bytes + kBzip2BytesPerLevel * static_cast<std::uint64_t>(head[3] - '0');
    case ArchiveKind::kZstd: {
      if (!IsZstd(head) && !IsSkippable(head)) break;
      const std::uint64_t window = IsZstd(head) ? ZstdWindowBytes(head) : 0;
      // However large a header says it is: sums must not wrap around.
      return std::min(window, std::uint64_t{1} << 48) + kZstdBytes +
             3 * std::min(window, kZstdBlockBytesMax);
    }
    case ArchiveKind::kLz4:
      if (!IsLz4(head) && !IsSkippable(head)) break;
      return kLz4Bytes + (IsLz4(head) ? 2 * Lz4BlockBytes(head) : 0);
  }
  return std::nullopt;
}

}  // namespace spillway
