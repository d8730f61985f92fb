// ArchiveStream: the text of a compressed file, member by member, in bounded memory however far the
// text expands. An archive is one member or several, one behind the other; nothing else may stand
// behind or between them, but for the zeros that tapes leave behind gzip's. Each member's checksums
// are checked. A range begins with the first member in it; of bzip2, whose blocks are entries as
// well, this reads whole files alone (bzip2_blocks.h).
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "mapreduce/base/file_system.h"
#include "mapreduce/base/status.h"
#include "runtime/archive/archive_decoder.h"
#include "runtime/archive/archive_text.h"
#include "shuffle/store/memory_budget.h"

namespace spillway {

/// What is read at a time of the compressed file.
inline constexpr std::uint64_t kArchiveBufferBytes = 64 << 10;

class ArchiveStream final : public ArchiveText {
 public:
  /// `file` and `memory` outlive the stream.
  ArchiveStream(const ReadableFile& file, ArchiveSource source, MemoryBudget& memory,
                std::uint64_t buffer_bytes = kArchiveBufferBytes);

  Result<bool> Open() override;
  Result<std::uint64_t> Read(std::uint64_t bytes, char* to) override;
  std::uint64_t file_position() const override { return position_ - (end_ - begin_); }

 private:
  Status BeginMember();
  Status LeaveRange();
  Status SkipZeros();
  Status Fill();

  bool AtFileEnd() const { return position_ == source_.file_bytes; }
  std::string_view Input() const { return {buffer_.data() + begin_, end_ - begin_}; }

  const std::uint64_t buffer_bytes_;
  const std::unique_ptr<ArchiveDecoder> decoder_;
  Buffer buffer_;
  std::uint64_t begin_ = 0;     ///< In the buffer: what the decoder has not taken yet,
  std::uint64_t end_ = 0;       ///< to here.
  std::uint64_t position_ = 0;  ///< In the file, behind what is in the buffer.
  std::uint64_t members_ = 0;   ///< That came to their end.
  bool in_member_ = false;
};

/// Memory that decoding a file takes, its buffer included, by its first bytes and those behind
/// frames without content; 0 for a file whose name is not that of an archive. BadData when its
/// content is not what its name says.
Result<std::uint64_t> ArchiveMemoryBytes(FileSystem& files, const std::string& path,
                                         std::uint64_t file_bytes);

}  // namespace spillway
