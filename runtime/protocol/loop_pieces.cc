#include "runtime/protocol/loop_pieces.h"

#include <algorithm>

namespace spillway {

namespace {
/// Of a part beside its bytes, about.
constexpr std::size_t kPartHeadBytes = 16;
}  // namespace

void LoopPacker::Add(std::uint32_t part, std::string_view bytes) {
  std::uint64_t offset = 0;
  do {
    const std::string_view piece = bytes.substr(offset, kLoopMessageBytes);
    if (parts_ != nullptr && bytes_ + piece.size() > kLoopMessageBytes) Flush();
    if (parts_ == nullptr) parts_ = begin_(message_);
    wire::LoopPart& one = *parts_->Add();
    one.set_part(part);
    one.set_bytes(piece.data(), piece.size());
    if (piece.size() != bytes.size()) {
      one.set_offset(offset);
      one.set_total_bytes(bytes.size());
    }
    bytes_ += piece.size() + kPartHeadBytes;
    offset += piece.size();
  } while (offset < bytes.size());
}

void LoopPacker::Flush() {
  if (parts_ == nullptr) return;
  post_(std::exchange(message_, wire::Message()));
  parts_ = nullptr;
  bytes_ = 0;
}

std::optional<std::string> LoopAssembly::Take(std::uint64_t from, const wire::LoopPart& piece) {
  if (piece.total_bytes() == 0) return piece.bytes();
  if (piece.total_bytes() > part_bytes_max_ || piece.offset() > piece.total_bytes() ||
      piece.bytes().size() > piece.total_bytes() - piece.offset())
    return std::nullopt;
  const std::pair key(from, piece.part());
  auto found = begun_.find(key);
  if (found == begun_.end() && piece.offset() == 0) found = begun_.try_emplace(key).first;
  if (found == begun_.end()) return std::nullopt;
  std::string& begun = found->second;
  if (piece.offset() == 0) {  // For the first time, or again from the start.
    bytes_ -= begun.size();
    begun.clear();
  }
  if (begun.size() != piece.offset()) return std::nullopt;
  begun.append(piece.bytes());
  bytes_ += piece.bytes().size();
  if (begun.size() < piece.total_bytes()) return std::nullopt;
  std::string whole = std::move(begun);
  bytes_ -= whole.size();
  begun_.erase(found);
  return whole;
}

void LoopAssembly::Clear() {
  begun_.clear();
  bytes_ = 0;
}

}  // namespace spillway
