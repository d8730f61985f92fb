#include "shuffle/store/released_ranges.h"

#include <algorithm>
#include <iterator>

namespace spillway {

ReleasedRanges::Range ReleasedRanges::Add(std::uint64_t begin, std::uint64_t end) {
  if (begin >= end) return {begin, begin};
  auto next = ends_.upper_bound(begin);
  if (next != ends_.begin()) {
    const auto before = std::prev(next);
    if (before->second >= begin) {
      begin = before->first;
      end = std::max(end, before->second);
      ends_.erase(before);
    }
  }
  while (next != ends_.end() && next->first <= end) {
    end = std::max(end, next->second);
    next = ends_.erase(next);
  }
  ends_.emplace_hint(next, begin, end);
  return {begin, end};
}

}  // namespace spillway
