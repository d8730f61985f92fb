#include "runtime/archive/archive_text.h"

#include <utility>

#include "runtime/archive/archive_stream.h"
#include "runtime/archive/bzip2_blocks.h"

namespace spillway {

std::unique_ptr<ArchiveText> MakeArchiveText(const ReadableFile& file, ArchiveSource source,
                                             MemoryBudget& memory) {
  const bool whole = source.begin == 0 && source.end >= source.file_bytes;
  if (source.kind == ArchiveKind::kBzip2 && !whole)
    return std::make_unique<Bzip2Blocks>(file, std::move(source), memory);
  return std::make_unique<ArchiveStream>(file, std::move(source), memory);
}

std::uint64_t RangeMemoryBytes(ArchiveKind kind) {
  return kind == ArchiveKind::kBzip2 ? Bzip2Blocks::kMemoryBytes : 0;
}

}  // namespace spillway
