#include "runtime/task/slot_board.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "mapreduce/base/units.h"
#include "runtime/archive/archive_kind.h"
#include "runtime/storage/posix_error.h"

namespace spillway {

namespace {

constexpr std::uint64_t kMagic = 0x31'64'72'61'6f'42'77'53;  // "SwBoard1"
constexpr std::size_t kShownBytesMax = 120;

void CopyText(char* to, std::size_t room, const char* from, std::size_t bytes) {
  bytes = std::min(bytes, room - 1);
  std::memcpy(to, from, bytes);
  to[bytes] = '\0';
}

template <std::size_t kRoom>
std::string TextOf(const char (&text)[kRoom]) {
  return std::string(text, ::strnlen(text, kRoom));
}

/// Where the plugin is. A thread of this process may be in it: the last word it wrote is meant.
__attribute__((no_sanitize("thread"))) std::uintptr_t CurrentRecord(const BoardSlot& slot) {
  return reinterpret_cast<std::uintptr_t>(slot.plugin_task.current_record);
}

/// The line at the place, as much of it as is shown. Nothing of an archive, which would have to be
/// decoded up to there.
std::string ReadRecord(FileSystem& files, const FailedRecord& record) {
  if (ArchiveKindOf(record.path) != ArchiveKind::kNone) return {};
  const auto file = files.Open(record.path);
  if (!file.ok()) return {};
  std::string text(kShownBytesMax + 1, '\0');
  const auto bytes = (*file)->ReadAt(record.place.offset, text.size(), text.data());
  if (!bytes.ok()) return {};
  text.resize(*bytes);
  return EscapeForLog(text.substr(0, text.find('\n')), kShownBytesMax);
}

}  // namespace

void BoardSlot::ShowBlock(const spillway_block& block) {
  file_index = block.file_index;
  data = block.data;
  bytes = block.bytes;
  file_offset = block.file_offset;
  CopyText(path, sizeof path, block.path, std::strlen(block.path));
  has_block.store(1, std::memory_order_release);
}

void BoardSlot::ShowBatch(const char* key, std::uint32_t key_bytes) {
  CopyText(batch_key, sizeof batch_key, key, std::min<std::size_t>(key_bytes, kShownBytesMax));
}

void BoardSlot::ShowClass(const char* name) {
  CopyText(user_class, sizeof user_class, name, std::strlen(name));
}

std::uint64_t SlotBoard::BytesFor(std::uint32_t slots) {
  const std::uint64_t header =
      (sizeof(Header) + alignof(BoardSlot) - 1) & ~(alignof(BoardSlot) - 1);
  return header + std::uint64_t{slots} * sizeof(BoardSlot);
}

BoardSlot* SlotBoard::slots_begin() const {
  return reinterpret_cast<BoardSlot*>(static_cast<char*>(memory_) + BytesFor(0));
}

Result<std::unique_ptr<SlotBoard>> SlotBoard::Map(UniqueFd fd, std::uint32_t slots) {
  const std::uint64_t bytes = BytesFor(slots);
  void* const memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
  if (memory == MAP_FAILED) return PosixError(errno, "map", "a slot board");
  return std::unique_ptr<SlotBoard>(new SlotBoard(std::move(fd), memory, bytes, slots));
}

Result<std::unique_ptr<SlotBoard>> SlotBoard::Create(std::uint32_t slots) {
  if (slots == 0 || slots > kSlotsMax)
    return InvalidArgument("a slot board of " + std::to_string(slots) + " slots; 1 to " +
                           std::to_string(kSlotsMax) + " are possible");
  UniqueFd fd(::memfd_create("spillway-slots", MFD_CLOEXEC));
  if (!fd.valid()) return PosixError(errno, "create", "a slot board");
  if (::ftruncate(fd.get(), static_cast<off_t>(BytesFor(slots))) != 0)
    return PosixError(errno, "size", "a slot board");
  SPILLWAY_ASSIGN_OR_RETURN(auto board, Map(std::move(fd), slots));
  board->header().slots = slots;
  board->header().magic = kMagic;
  return board;
}

Result<std::unique_ptr<SlotBoard>> SlotBoard::Attach(UniqueFd fd) {
  struct stat info = {};
  if (::fstat(fd.get(), &info) != 0) return PosixError(errno, "look at", "a slot board");
  const auto bytes = static_cast<std::uint64_t>(info.st_size);
  const Status no_board = InvalidArgument("the descriptor is no slot board of this version");
  if (!S_ISREG(info.st_mode) || bytes < BytesFor(1)) return no_board;
  const std::uint64_t slots = (bytes - BytesFor(0)) / sizeof(BoardSlot);
  if (slots > kSlotsMax || BytesFor(static_cast<std::uint32_t>(slots)) != bytes) return no_board;
  SPILLWAY_ASSIGN_OR_RETURN(auto board, Map(std::move(fd), static_cast<std::uint32_t>(slots)));
  if (board->header().magic != kMagic || board->header().slots != slots) return no_board;
  return board;
}

SlotBoard::~SlotBoard() { ::munmap(memory_, bytes_); }

std::optional<SlotReport> SlotBoard::Read(std::uint32_t index) const {
  const BoardSlot& slot = slots_begin()[index];
  if (slot.busy.load(std::memory_order_acquire) == 0) return std::nullopt;
  SlotReport report;
  // What was shown before these two is read behind them.
  report.in_user_code = slot.in_user_code.load(std::memory_order_acquire) != 0;
  const bool has_block = slot.has_block.load(std::memory_order_acquire) != 0;
  const bool known = slot.kind < std::size(kTaskKinds);
  report.attempt = {slot.job, known ? static_cast<TaskKind>(slot.kind) : TaskKind::kMap, slot.task,
                    slot.attempt};
  report.user_class = TextOf(slot.user_class);
  report.batch_key = EscapeForLog(TextOf(slot.batch_key));
  if (has_block) {
    const std::uintptr_t at = CurrentRecord(slot);
    const auto begin = reinterpret_cast<std::uintptr_t>(slot.data);
    // Before the first record of a block the plugin still points into the one before.
    const std::uint64_t in_block = at >= begin && at - begin < slot.bytes ? at - begin : 0;
    report.record = FailedRecord{{slot.file_index, slot.file_offset + in_block}, TextOf(slot.path)};
  }
  report.crashed = slot.crashed.load(std::memory_order_acquire) != 0;
  if (report.crashed) {
    report.what = TextOf(slot.what);
    report.snippet = TextOf(slot.snippet);
    report.snippet_is_key = slot.snippet_is_key != 0;
  }
  return report;
}

std::string SlotBoard::ReadProcessCrash() const { return TextOf(header().process_crash); }

std::string SlotText(const SlotReport& report, const std::string& what, FileSystem& files) {
  std::string text = report.user_class.empty() ? "the plugin" : report.user_class;
  text += " " + what;
  if (report.record.has_value()) {
    text += " at " + report.record->path + ":" + std::to_string(report.record->place.offset);
    const std::string record = report.snippet.empty() || report.snippet_is_key
                                   ? ReadRecord(files, *report.record)
                                   : report.snippet;
    if (!record.empty()) text += ", record '" + record + "'";
  } else if (report.snippet_is_key && !report.snippet.empty()) {
    text += " at key '" + report.snippet + "'";
  } else if (!report.batch_key.empty()) {
    text += " at or soon after key '" + report.batch_key + "'";
  }
  return text;
}

}  // namespace spillway
