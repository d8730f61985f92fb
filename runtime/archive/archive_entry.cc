#include "runtime/archive/archive_entry.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace spillway {

namespace {

constexpr std::uint64_t kPieceBytes = 64 << 10;
/// Enough for the header of any member.
constexpr std::uint64_t kHeadBytes = 32;

std::uint64_t LittleEndian(std::string_view bytes, std::size_t at, std::size_t count) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < count; ++i)
    value |= std::uint64_t{static_cast<unsigned char>(bytes[at + i])} << (8 * i);
  return value;
}

/// Small reads of a file at growing places.
class HeaderReader {
 public:
  HeaderReader(const ReadableFile& file, std::uint64_t file_bytes)
      : file_(file), file_bytes_(file_bytes) {}

  /// Up to `bytes` at the place; fewer at the file's end.
  Result<std::string_view> At(std::uint64_t place, std::uint64_t bytes) {
    const std::uint64_t want = place < file_bytes_ ? std::min(bytes, file_bytes_ - place) : 0;
    SPILLWAY_ASSIGN_OR_RETURN(const std::uint64_t got, file_.ReadAt(place, want, head_.data()));
    return std::string_view(head_.data(), got);
  }
  std::uint64_t file_bytes() const { return file_bytes_; }

 private:
  const ReadableFile& file_;
  const std::uint64_t file_bytes_;
  std::array<char, kHeadBytes> head_;
};

/// Whether an archive of the kind may begin or go on with these bytes.
bool MayBeMember(ArchiveKind kind, std::string_view head) {
  return MemberMemoryBytes(kind, head.substr(0, kArchiveHeadBytes)).has_value();
}

/// Where a member ends by its headers; empty: it is none, is cut off, or is one of gzip that does
/// not say. `to`: a member is not followed beyond it.
using MemberEnd = Result<std::optional<std::uint64_t>>;

/// As bgzip writes them: an extra field, of this subfield alone, has the member's bytes less one.
MemberEnd GzipMemberEnd(std::uint64_t at, std::string_view head) {
  constexpr std::string_view kExtra("\x06\0BC\x02\0", 6);
  if (head.size() < 18 || !head.starts_with("\x1f\x8b\x08\x04") || head.substr(10, 6) != kExtra)
    return std::optional<std::uint64_t>();
  return std::optional(at + LittleEndian(head, 16, 2) + 1);
}

/// RFC 8878, 3.1.1.
MemberEnd ZstdFrameEnd(HeaderReader& reader, std::uint64_t at, std::string_view head,
                       std::uint64_t to) {
  constexpr std::uint64_t kBlockBytesMax = 128 << 10;
  constexpr std::size_t kDictionaryBytes[] = {0, 1, 2, 4};
  constexpr std::size_t kSizeBytes[] = {0, 2, 4, 8};
  if (head.size() < 6 || !MayBeMember(ArchiveKind::kZstd, head))
    return std::optional<std::uint64_t>();
  const std::uint64_t descriptor = LittleEndian(head, 4, 1);
  const bool single_segment = (descriptor & 0x20) != 0;
  const bool reserved = (descriptor & 0x08) != 0;
  if (reserved) return std::optional<std::uint64_t>();
  const std::size_t size_bytes =
      single_segment && descriptor >> 6 == 0 ? 1 : kSizeBytes[descriptor >> 6];
  std::uint64_t place =
      at + 5 + (single_segment ? 0 : 1) + kDictionaryBytes[descriptor & 3] + size_bytes;
  for (bool last = false; !last;) {
    if (place > to) return std::optional<std::uint64_t>();
    SPILLWAY_ASSIGN_OR_RETURN(const std::string_view block, reader.At(place, 3));
    if (block.size() < 3) return std::optional<std::uint64_t>();
    const std::uint64_t header = LittleEndian(block, 0, 3);
    const std::uint64_t type = header >> 1 & 3;  // Raw, one repeated byte, compressed, reserved.
    const std::uint64_t bytes = header >> 3;
    if (type == 3 || (type != 1 && bytes > kBlockBytesMax)) return std::optional<std::uint64_t>();
    place += 3 + (type == 1 ? 1 : bytes);
    last = (header & 1) != 0;
  }
  return std::optional(place + ((descriptor & 0x04) != 0 ? 4 : 0));
}

/// doc/lz4_Frame_format.md of lz4.
MemberEnd Lz4FrameEnd(HeaderReader& reader, std::uint64_t at, std::string_view head,
                      std::uint64_t to) {
  if (head.size() < 7 || !MayBeMember(ArchiveKind::kLz4, head))
    return std::optional<std::uint64_t>();
  const std::uint64_t flags = LittleEndian(head, 4, 1);
  const std::uint64_t block = LittleEndian(head, 5, 1);
  const std::uint64_t block_id = block >> 4 & 7;
  const bool version_1 = flags >> 6 == 1;
  const bool reserved = (flags & 0x02) != 0 || (block & 0x8f) != 0;
  if (!version_1 || reserved || block_id < 4) return std::optional<std::uint64_t>();
  const std::uint64_t block_bytes_max = std::uint64_t{64 << 10} << (2 * (block_id - 4));
  const std::uint64_t block_checksum_bytes = (flags & 0x10) != 0 ? 4 : 0;
  std::uint64_t place = at + 7 + ((flags & 0x08) != 0 ? 8 : 0) + ((flags & 0x01) != 0 ? 4 : 0);
  while (true) {
    if (place > to) return std::optional<std::uint64_t>();
    SPILLWAY_ASSIGN_OR_RETURN(const std::string_view size, reader.At(place, 4));
    if (size.size() < 4) return std::optional<std::uint64_t>();
    place += 4;
    const std::uint64_t bytes = LittleEndian(size, 0, 4) & 0x7fffffff;  // The top bit: stored.
    if (LittleEndian(size, 0, 4) == 0) break;
    if (bytes > block_bytes_max) return std::optional<std::uint64_t>();
    place += bytes + block_checksum_bytes;
  }
  return std::optional(place + ((flags & 0x04) != 0 ? 4 : 0));
}

MemberEnd EndOf(HeaderReader& reader, ArchiveKind kind, std::uint64_t at, std::uint64_t to) {
  SPILLWAY_ASSIGN_OR_RETURN(const std::string_view seen, reader.At(at, kHeadBytes));
  const std::string head(seen);
  if (kind == ArchiveKind::kGzip) return GzipMemberEnd(at, head);
  if (const auto bytes = SkippableFrameBytes(head)) return std::optional(at + *bytes);
  return kind == ArchiveKind::kZstd ? ZstdFrameEnd(reader, at, head, to)
                                    : Lz4FrameEnd(reader, at, head, to);
}

/// A quick no for most bytes that are none of an archive's first.
bool MayBegin(ArchiveKind kind, unsigned char byte) {
  if (kind == ArchiveKind::kGzip) return byte == 0x1f;
  return (byte & 0xf0) == 0x50 || byte == (kind == ArchiveKind::kZstd ? 0x28 : 0x04);
}

Result<bool> IsEntry(HeaderReader& reader, ArchiveKind kind, std::uint64_t at) {
  SPILLWAY_ASSIGN_OR_RETURN(const auto end, EndOf(reader, kind, at, reader.file_bytes()));
  if (!end.has_value() || *end > reader.file_bytes()) return false;
  if (*end == reader.file_bytes()) return true;
  SPILLWAY_ASSIGN_OR_RETURN(const std::string_view next, reader.At(*end, kArchiveHeadBytes));
  return MayBeMember(kind, next);
}

}  // namespace

Result<std::optional<std::uint64_t>> FindArchiveEntry(const ReadableFile& file, ArchiveKind kind,
                                                      std::uint64_t file_bytes, std::uint64_t from,
                                                      std::uint64_t to) {
  HeaderReader reader(file, file_bytes);
  std::vector<char> piece(kPieceBytes + kArchiveHeadBytes);
  for (std::uint64_t at = from; at < std::min(to, file_bytes); at += kPieceBytes) {
    const std::uint64_t want = std::min<std::uint64_t>(piece.size(), file_bytes - at);
    SPILLWAY_ASSIGN_OR_RETURN(const std::uint64_t got, file.ReadAt(at, want, piece.data()));
    const std::string_view bytes(piece.data(), got);
    const std::uint64_t places = std::min({kPieceBytes, got, to - at});
    for (std::uint64_t i = 0; i < places; ++i) {
      if (!MayBegin(kind, static_cast<unsigned char>(bytes[i])) ||
          !MayBeMember(kind, bytes.substr(i, kArchiveHeadBytes)))
        continue;
      SPILLWAY_ASSIGN_OR_RETURN(const bool entry, IsEntry(reader, kind, at + i));
      if (entry) return std::optional(at + i);
    }
  }
  return std::optional<std::uint64_t>();
}

Result<bool> HasArchiveEntries(FileSystem& files, const std::string& path, std::uint64_t file_bytes,
                               std::uint64_t split_bytes) {
  const ArchiveKind kind = ArchiveKindOf(path);
  if (kind == ArchiveKind::kNone || kind == ArchiveKind::kBzip2) return kind != ArchiveKind::kNone;
  SPILLWAY_ASSIGN_OR_RETURN(const auto file, files.Open(path));
  HeaderReader reader(*file, file_bytes);
  // Frames to be passed over, as pzstd puts before the others, are no text.
  std::uint64_t at = 0;
  for (bool skippable = true; skippable && at < file_bytes;) {
    SPILLWAY_ASSIGN_OR_RETURN(const std::string_view head, reader.At(at, kHeadBytes));
    skippable = SkippableFrameBytes(head).has_value();
    SPILLWAY_ASSIGN_OR_RETURN(const auto end, EndOf(reader, kind, at, split_bytes));
    if (!end.has_value()) return false;
    at = *end;
  }
  return at <= split_bytes && at < file_bytes;
}

}  // namespace spillway
