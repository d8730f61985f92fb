#include "runtime/archive/archive_stream.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "mapreduce/base/check.h"
#include "mapreduce/base/units.h"
#include "runtime/archive/archive_entry.h"

namespace spillway {

namespace {

constexpr std::size_t kShownBytesMax = 16;
constexpr int kSkippableFramesMax = 16;

std::string Quoted(std::string_view bytes) {
  return "'" + EscapeForLog(bytes.substr(0, kShownBytesMax), 4 * kShownBytesMax) + "'";
}

/// A file that is not what the ending of its name says.
Status NotThatKind(const std::string& name, ArchiveKind kind, std::string_view head) {
  const std::string expected = ArchiveKindName(kind);
  if (head.empty())
    return BadData(name + ": the file is empty, and an archive of " + expected +
                   " is not, whatever it holds; get it again, or remove it");
  const ArchiveKind found = ArchiveKindByContent(head);
  const std::string what =
      found == ArchiveKind::kNone
          ? "it begins with " + Quoted(head) + ": rename it if it is not compressed"
          : "it is one of " + std::string(ArchiveKindName(found)) + ": rename it";
  return BadData(name + ": the file is no archive of " + expected + ", as its name says; " + what);
}

}  // namespace

ArchiveStream::ArchiveStream(const ReadableFile& file, ArchiveSource source, MemoryBudget& memory,
                             std::uint64_t buffer_bytes)
    : ArchiveText(file, std::move(source), memory),
      buffer_bytes_(std::max<std::uint64_t>(buffer_bytes, kArchiveHeadBytes)),
      decoder_(MakeArchiveDecoder(source_.kind)) {}

Result<bool> ArchiveStream::Open() {
  if (source_.begin == 0) return true;
  SPILLWAY_ASSIGN_OR_RETURN(
      const auto entry,
      FindArchiveEntry(file_, source_.kind, source_.file_bytes, source_.begin, source_.end));
  if (!entry.has_value()) return false;
  position_ = first_byte_ = *entry;
  return true;
}

Result<std::uint64_t> ArchiveStream::Read(std::uint64_t bytes, char* to) {
  std::uint64_t done = 0;
  while (done < bytes && !ended_) {
    if (!in_member_) {
      const bool left = left_range_;
      SPILLWAY_RETURN_IF_ERROR(BeginMember());
      if (left_range_ && !left) return done;
      continue;
    }
    if (begin_ == end_) SPILLWAY_RETURN_IF_ERROR(Fill());
    DecoderWindow window{buffer_.data() + begin_, end_ - begin_, to + done, bytes - done};
    const ArchiveDecoder::Progress progress = decoder_->Decode(&window);
    const std::uint64_t used = end_ - begin_ - window.in_bytes;
    const std::uint64_t made = bytes - done - window.out_bytes;
    begin_ += used;
    done += made;
    text_bytes_ += made;
    switch (progress) {
      case ArchiveDecoder::Progress::kMore:
        if (used > 0 || made > 0) break;
        if (begin_ == end_ && AtFileEnd()) return Truncated();
        return Bad("the decoder does not go on");
      case ArchiveDecoder::Progress::kMemberEnd:
        in_member_ = false;
        ++members_;
        break;
      case ArchiveDecoder::Progress::kDamaged: return Damaged(decoder_->damage());
      case ArchiveDecoder::Progress::kNoMemory: return NoMemory();
    }
  }
  return done;
}

Status ArchiveStream::BeginMember() {
  if (buffer_.empty()) {
    SPILLWAY_ASSIGN_OR_RETURN(buffer_, Buffer::AllocateForced(memory_, buffer_bytes_));
  }
  if (source_.kind == ArchiveKind::kGzip && members_ > 0) SPILLWAY_RETURN_IF_ERROR(SkipZeros());
  while (end_ - begin_ < kArchiveHeadBytes && !AtFileEnd()) SPILLWAY_RETURN_IF_ERROR(Fill());
  if (begin_ == end_ && members_ > 0) {
    ended_ = true;
    return OkStatus();
  }
  if (!left_range_ && file_position() >= source_.end) return LeaveRange();
  const auto needed = MemberMemoryBytes(source_.kind, Input().substr(0, kArchiveHeadBytes));
  if (!needed.has_value()) {
    if (members_ == 0) return NotThatKind(source_.name, source_.kind, Input());
    return Bad("behind the end of the archive there is something else: " + Quoted(Input()) +
               "; get the file again, or cut it off");
  }
  SPILLWAY_RETURN_IF_ERROR(Reserve(*needed));
  if (!decoder_->Begin()) return NoMemory();
  in_member_ = true;
  return OkStatus();
}

/// The next range begins with what it finds to be a member: that must be this one, or text would be
/// lost or doubled. It is another one where data looks like a member, as that of an archive does
/// that was packed again.
Status ArchiveStream::LeaveRange() {
  left_range_ = true;
  SPILLWAY_ASSIGN_OR_RETURN(
      const auto entry,
      FindArchiveEntry(file_, source_.kind, source_.file_bytes, source_.end, file_position() + 1));
  if (entry == file_position()) return OkStatus();
  return Bad(entry.has_value()
                 ? "the archive cannot be split, because at byte " + std::to_string(*entry) +
                       " its data looks like the beginning of a member; " + kUnsplitAdvice
                 : std::string("the archive cannot be split here; ") + kUnsplitAdvice);
}

/// Archives that were on a tape end with zeros.
Status ArchiveStream::SkipZeros() {
  while (true) {
    while (begin_ < end_ && buffer_.data()[begin_] == 0) ++begin_;
    if (begin_ < end_ || AtFileEnd()) return OkStatus();
    SPILLWAY_RETURN_IF_ERROR(Fill());
  }
}

/// More of the file behind what is left in the buffer; nothing at the file's end.
Status ArchiveStream::Fill() {
  std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
  end_ -= begin_;
  begin_ = 0;
  const std::uint64_t want = std::min(buffer_.size() - end_, source_.file_bytes - position_);
  if (want == 0) return OkStatus();
  SPILLWAY_ASSIGN_OR_RETURN(const std::uint64_t got,
                            file_.ReadAt(position_, want, buffer_.data() + end_));
  position_ += got;
  end_ += got;
  if (got < want) return BecameShorter();
  return OkStatus();
}

Result<std::uint64_t> ArchiveMemoryBytes(FileSystem& files, const std::string& path,
                                         std::uint64_t file_bytes) {
  const ArchiveKind kind = ArchiveKindOf(path);
  if (kind == ArchiveKind::kNone) return std::uint64_t{0};
  SPILLWAY_ASSIGN_OR_RETURN(const auto file, files.Open(path));
  std::array<char, kArchiveHeadBytes> head{};
  std::uint64_t needed = 0;
  // Also behind frames without content, as pzstd puts before the others; not behind any number.
  std::uint64_t at = 0;
  for (int frames = 0; frames <= kSkippableFramesMax; ++frames) {
    const std::uint64_t want = at < file_bytes ? std::min(file_bytes - at, head.size()) : 0;
    SPILLWAY_ASSIGN_OR_RETURN(const std::uint64_t got, file->ReadAt(at, want, head.data()));
    const std::string_view begin(head.data(), got);
    const auto member = MemberMemoryBytes(kind, begin);
    if (!member.has_value() && frames == 0) return NotThatKind(path, kind, begin);
    needed = std::max(needed, member.value_or(0));
    const auto skippable = SkippableFrameBytes(begin);
    if (!skippable.has_value()) break;
    at += *skippable;
  }
  return needed + kArchiveBufferBytes;
}

}  // namespace spillway
