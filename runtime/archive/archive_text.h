// ArchiveText: the text of a compressed file, or of a range of it. Some archives can be decoded
// from places within them, their entries: a block of bzip2, a member or frame of the others. To a
// range belongs the text between the first entry in it and the first one behind it, so that the
// ranges that a file is cut into have all of its text, once. One task, one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "mapreduce/base/file_system.h"
#include "mapreduce/base/status.h"
#include "runtime/archive/archive_kind.h"
#include "shuffle/store/memory_budget.h"

namespace spillway {

/// What to do with an archive whose entries are not what they seem.
inline constexpr const char* kUnsplitAdvice =
    "give --split-size the size of the whole file, and one task reads it";

struct ArchiveSource {
  ArchiveKind kind = ArchiveKind::kNone;  ///< Any other.
  std::string name;                       ///< For messages.
  std::uint64_t file_bytes = 0;           ///< As planned; a file that has shrunk since is an error.
  /// Memory that was set aside for decoding; what a member takes beyond it must be free.
  std::uint64_t planned_bytes = 0;
  std::uint64_t begin = 0;         ///< The range, in bytes of the file.
  std::uint64_t end = UINT64_MAX;  ///< Behind it.
};

class ArchiveText {
 public:
  virtual ~ArchiveText() { memory_.Release(reserved_bytes_); }
  ArchiveText(const ArchiveText&) = delete;
  ArchiveText& operator=(const ArchiveText&) = delete;

  /// Before the first Read: goes to the range's first entry. False: there is none in it, and none
  /// of the text is its.
  virtual Result<bool> Open() = 0;

  /// The next `bytes` of the text; fewer only at its end, which is the file's, and once where the
  /// range ends: what is read then belongs to the next one. BadData names the file and the place in
  /// it: damage, an early end, rubbish, a content that is not what the file's name says, a member
  /// that takes more memory than there is.
  virtual Result<std::uint64_t> Read(std::uint64_t bytes, char* to) = 0;

  /// How far the compressed file was read.
  virtual std::uint64_t file_position() const = 0;

  /// All of the range's text was read, and there is more behind it.
  bool left_range() const { return left_range_; }
  bool at_end() const { return ended_; }
  /// Where the entry that was opened begins, in the compressed file.
  std::uint64_t first_byte() const { return first_byte_; }

 protected:
  ArchiveText(const ReadableFile& file, ArchiveSource source, MemoryBudget& memory)
      : file_(file), source_(std::move(source)), memory_(memory) {}

  /// Takes what decoding needs before the decoder does. What was planned is there; whoever needs
  /// more has to find it. `bytes`: in all, of which `held` are a buffer that is taken already.
  Status Reserve(std::uint64_t bytes, std::uint64_t held = 0);

  // What can be wrong, with the place.
  Status Bad(const std::string& what) const;
  Status Truncated() const;
  Status Damaged(const std::string& what) const;
  Status NoMemory() const;
  Status BecameShorter() const;

  const ReadableFile& file_;
  const ArchiveSource source_;
  MemoryBudget& memory_;
  std::uint64_t first_byte_ = 0;
  std::uint64_t text_bytes_ = 0;  ///< That were read.
  bool left_range_ = false;
  bool ended_ = false;

 private:
  std::uint64_t reserved_bytes_ = 0;
};

/// `file` and `memory` outlive it.
std::unique_ptr<ArchiveText> MakeArchiveText(const ReadableFile& file, ArchiveSource source,
                                             MemoryBudget& memory);

/// Memory that decoding a part of a file takes, where that is more than decoding all of it.
std::uint64_t RangeMemoryBytes(ArchiveKind kind);

}  // namespace spillway
