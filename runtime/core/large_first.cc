#include "runtime/core/large_first.h"

#include <algorithm>

namespace spillway {

void LargeFirst::Add(std::uint32_t map, std::string_view sizes) {
  if (map >= maps_ || sizes.size() != reduces_) return;
  if (added_.empty()) {
    added_.resize(maps_);
    bytes_.resize(reduces_);
  }
  if (added_[map]) return;
  added_[map] = true;
  for (std::uint32_t reduce = 0; reduce < reduces_; ++reduce) {
    const std::uint64_t bytes = std::min(BytesOfSize(static_cast<std::uint8_t>(sizes[reduce])),
                                         kSizedBytesMax - bytes_[reduce]);
    bytes_[reduce] += bytes;
    all_bytes_ += bytes;
  }
}

void LargeFirst::Rank() {
  ranked_.clear();
  if (bytes_.empty()) return;
  const std::uint64_t mean = all_bytes_ / reduces_;
  // Less is within the rounding: those stay in their order.
  const std::uint64_t large = mean + mean / 4;
  for (std::uint32_t reduce = 0; reduce < reduces_; ++reduce)
    if (bytes_[reduce] > large) ranked_.push_back(reduce);
  std::stable_sort(ranked_.begin(), ranked_.end(),
                   [&](std::uint32_t a, std::uint32_t b) { return bytes_[a] > bytes_[b]; });
  if (ranked_.size() > kRankedMax) ranked_.resize(kRankedMax);
  std::reverse(ranked_.begin(), ranked_.end());
}

std::uint32_t LargeFirst::First(const IndexSet& waiting) {
  while (!ranked_.empty() && !waiting.contains(ranked_.back())) ranked_.pop_back();
  return ranked_.empty() ? IndexSet::kNone : ranked_.back();
}

}  // namespace spillway
