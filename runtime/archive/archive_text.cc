#include "runtime/archive/archive_text.h"

#include <utility>

#include "mapreduce/base/units.h"
#include "runtime/archive/archive_stream.h"
#include "runtime/archive/bzip2_blocks.h"

namespace spillway {

Status ArchiveText::Reserve(std::uint64_t bytes, std::uint64_t held) {
  if (bytes <= held + reserved_bytes_) return OkStatus();
  const std::uint64_t more = bytes - held - reserved_bytes_;
  if (bytes <= source_.planned_bytes) {
    memory_.ReserveForced(more);
  } else if (!memory_.TryReserve(more)) {
    return Bad("to decode it takes " + FormatBytes(bytes) +
               ", more than is left of the memory; give the job more --memory");
  }
  reserved_bytes_ += more;
  return OkStatus();
}

Status ArchiveText::Bad(const std::string& what) const {
  return BadData(source_.name + ": byte " + std::to_string(file_position()) +
                 " of the compressed file, behind " + std::to_string(text_bytes_) +
                 " bytes of text: " + what);
}

Status ArchiveText::Truncated() const {
  const std::string name = ArchiveKindName(source_.kind);
  return Bad("the archive of " + name + " ends too early; get it again (" + name +
             " -t checks it)");
}

Status ArchiveText::Damaged(const std::string& what) const {
  const std::string name = ArchiveKindName(source_.kind);
  return Bad("the archive of " + name + " is damaged: " + what + "; get it again (" + name +
             " -t checks it)");
}

Status ArchiveText::NoMemory() const {
  return Bad("no memory to decode it; give the job more --memory");
}

Status ArchiveText::BecameShorter() const {
  return Bad("the file became shorter while the job ran (it had " +
             std::to_string(source_.file_bytes) + " bytes)");
}

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
