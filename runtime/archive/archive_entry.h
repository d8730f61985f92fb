// ArchiveEntry: the places of a compressed file where a decoder can begin, and what is behind which
// is independent of all before it: members of gzip that say how long they are (as bgzip writes
// them), frames of zstd and lz4. Entries are told from data that looks like one by following the
// headers of what would be a member to its end: there the file ends, or another one begins.
// Blocks of bzip2 are found otherwise (bzip2_blocks.h). Any thread.
#pragma once

#include <cstdint>
#include <optional>

#include "mapreduce/base/file_system.h"
#include "mapreduce/base/status.h"
#include "runtime/archive/archive_kind.h"

namespace spillway {

/// The first entry from byte `from` on and before byte `to`; empty: there is none.
Result<std::optional<std::uint64_t>> FindArchiveEntry(const ReadableFile& file, ArchiveKind kind,
                                                      std::uint64_t file_bytes, std::uint64_t from,
                                                      std::uint64_t to);

/// Whether ranges of about `split_bytes` each have entries: the archive is of bzip2, or of several
/// members of which the first is no longer.
Result<bool> HasArchiveEntries(FileSystem& files, const std::string& path, std::uint64_t file_bytes,
                               std::uint64_t split_bytes);

}  // namespace spillway
