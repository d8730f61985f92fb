// ArchiveKind: in which compressed form an input file is, told by the ending of its name and
// checked by its first bytes. Pure; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace spillway {

enum class ArchiveKind : std::uint8_t { kNone, kGzip, kBzip2, kZstd, kLz4 };

/// .gz, .bz2, .zst or .lz4, in lower case; kNone for every other ending.
ArchiveKind ArchiveKindOf(std::string_view path);

/// Whether the name is that of an archive of another kind, such as .xz, or of a compressed tar
/// file, such as .tgz. Such files are read as they are, which is seldom what is wanted.
bool IsOtherArchive(std::string_view path);

/// The kind whose archives begin so; kNone when it is none of these.
ArchiveKind ArchiveKindByContent(std::string_view head);

/// Its name, which is that of the command that checks it: "gzip". Not of kNone.
const char* ArchiveKindName(ArchiveKind kind);

/// Where a record lies, for people: in an archive, offsets are those of its text; `in_split`: of a
/// split of it that is not the first, where they begin with the split's place in the file.
std::string RecordPlaceText(const std::string& path, std::uint64_t offset, bool in_split);

/// What a member of an archive begins with: enough to know what decoding it takes.
inline constexpr std::size_t kArchiveHeadBytes = 18;

/// The length of a frame without content, which zstd and lz4 pass over, if one begins so.
std::optional<std::uint64_t> SkippableFrameBytes(std::string_view head);

/// Memory that decoding a member takes, by its first kArchiveHeadBytes (or all that there are, in
/// a shorter one). Empty: no member of this kind begins so.
std::optional<std::uint64_t> MemberMemoryBytes(ArchiveKind kind, std::string_view head);

}  // namespace spillway
