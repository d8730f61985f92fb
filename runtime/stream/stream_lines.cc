#include "runtime/stream/stream_lines.h"

#include <cstring>

namespace spillway {

Status StreamLines::AddLine(std::string_view line) {
  const auto* tab = static_cast<const char*>(
      line.empty() ? nullptr : std::memchr(line.data(), '\t', line.size()));
  const std::size_t key =
      tab == nullptr ? line.size() : static_cast<std::size_t>(tab - line.data());
  batch_.push_back({line.data(), line.data() + key, static_cast<std::uint32_t>(key),
                    static_cast<std::uint32_t>(line.size() - key)});
  return batch_.size() == kBatchRecords ? Flush() : OkStatus();
}

Status StreamLines::Flush() {
  if (batch_.empty()) return OkStatus();
  const Status status = sink_(batch_.data(), batch_.size());
  batch_.clear();
  return status;
}

Status StreamLines::AddCarried() {
  const std::size_t bytes = carry_.size();
  carry_.append(SPILLWAY_PADDING_BYTES, '\0');
  SPILLWAY_RETURN_IF_ERROR(AddLine({carry_.data(), bytes}));
  SPILLWAY_RETURN_IF_ERROR(Flush());
  carry_.clear();
  return OkStatus();
}

Status StreamLines::Add(std::string_view bytes) {
  const char* at = bytes.data();
  const char* const end = at + bytes.size();
  while (at < end) {
    const auto* newline =
        static_cast<const char*>(std::memchr(at, '\n', static_cast<std::size_t>(end - at)));
    const char* const line_end = newline == nullptr ? end : newline;
    const auto length = static_cast<std::size_t>(line_end - at);
    if (newline == nullptr || !carry_.empty()) {
      if (carry_.size() + length > kStreamLineBytesMax)
        return BadData("a line has more than 1 GiB");
      carry_.append(at, length);
      if (newline == nullptr) break;
      SPILLWAY_RETURN_IF_ERROR(AddCarried());
    } else {
      SPILLWAY_RETURN_IF_ERROR(AddLine({at, length}));
    }
    at = line_end + 1;
  }
  return Flush();
}

Status StreamLines::Finish() { return carry_.empty() ? OkStatus() : AddCarried(); }

}  // namespace spillway
