#include "shuffle/engine/fold_sorter.h"

#include <algorithm>
#include <utility>

namespace spillway {
namespace {

// Fewer entries that tie are sorted by comparing their keys.
constexpr std::size_t kTieEntriesMin = 24;

}  // namespace

void FoldSorter::Sort(std::span<FoldEntry> part) const {
  if (order_.is_bytes()) {
    SortBytes(part, 0);
    return;
  }
  // A heap, because the plugin's order may contradict itself, and std::sort would then leave the
  // array.
  const auto less = [this](const FoldEntry& a, const FoldEntry& b) {
    const std::string_view a_key = KeyOf(a), b_key = KeyOf(b);
    const int order = order_.Compare(a_key, b_key);
    return order != 0 ? order < 0 : CompareBytes(a_key, b_key) < 0;
  };
  std::make_heap(part.begin(), part.end(), less);
  std::sort_heap(part.begin(), part.end(), less);
}

// Sorts by the 8 bytes at hand; what ties in them, by the next 8. The largest tie is the loop's,
// so that the others, which recurse, have at most half of the entries.
void FoldSorter::SortBytes(std::span<FoldEntry> entries, std::uint64_t depth) const {
  while (!entries.empty()) {
    SortNumbers(entries);
    depth += FoldEntry::kPrefixBytes;
    std::span<FoldEntry> largest;
    for (std::size_t begin = 0, end; begin < entries.size(); begin = end) {
      end = begin + 1;
      while (end < entries.size() && entries[begin].Ties(entries[end])) ++end;
      if (end - begin == 1) continue;
      std::span<FoldEntry> tied = entries.subspan(begin, end - begin);
      if (tied.size() < kTieEntriesMin) {
        SortFew(tied);
        continue;
      }
      for (FoldEntry& entry : tied) entry.LookAt(KeyOf(entry), depth);
      if (tied.size() > largest.size()) std::swap(tied, largest);
      SortBytes(tied, depth);
    }
    entries = largest;
  }
}

void FoldSorter::SortFew(std::span<FoldEntry> entries) const {
  std::sort(entries.begin(), entries.end(), [this](const FoldEntry& a, const FoldEntry& b) {
    return CompareBytes(KeyOf(a), KeyOf(b)) < 0;
  });
}

}  // namespace spillway
