#include "runtime/stream/stream_lines.h"

#include <cstring>

namespace spillway {

std::size_t LineKeys::KeyBytes(std::string_view line) const {
  std::size_t at = 0;
  for (std::uint32_t field = 1; at < line.size(); ++field) {
    const void* found = std::memchr(line.data() + at, separator, line.size() - at);
    if (found == nullptr) break;
    at = static_cast<std::size_t>(static_cast<const char*>(found) - line.data());
    if (field >= fields) return at;
    ++at;
  }
  return line.size();
}

Status StreamLines::AddLine(std::string_view line) {
  const std::size_t key = keys_.KeyBytes(line);
  if (keys_.order.empty()) {
    batch_.push_back({line.data(), line.data() + key, static_cast<std::uint32_t>(key),
                      static_cast<std::uint32_t>(line.size() - key)});
  } else {
    const std::size_t from = orders_.size();
    keys_.order.AppendOrder(line.substr(0, key), &orders_);
    batch_.push_back({nullptr, line.data(), static_cast<std::uint32_t>(orders_.size() - from),
                      static_cast<std::uint32_t>(line.size())});
  }
  return batch_.size() == kBatchRecords ? Flush() : OkStatus();
}

/// Only now do the keys stay where they are.
void StreamLines::PlaceOrders() {
  orders_.append(SPILLWAY_PADDING_BYTES, '\0');
  const char* at = orders_.data();
  for (spillway_record& record : batch_) {
    record.key = at;
    at += record.key_bytes;
  }
}

Status StreamLines::Flush() {
  if (batch_.empty()) return OkStatus();
  if (!keys_.order.empty()) PlaceOrders();
  const Status status = sink_(batch_.data(), batch_.size());
  batch_.clear();
  orders_.clear();
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
