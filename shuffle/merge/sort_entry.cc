#include "shuffle/merge/sort_entry.h"

#include <algorithm>

#include "shuffle/record/key_order.h"

namespace spillway {
namespace {

/// Ties up to this many are not worth new prefixes.
constexpr std::size_t kCompareSortMax = 16;

/// Each level costs a pass over the tied keys. Keys that need more are as good as made to hurt.
constexpr int kLevelsMax = 8;

std::string_view KeyFrom(const Record* records, const SortEntry& entry, std::size_t skip) {
  const std::string_view key = KeyOf(records[entry.index()]);
  return key.substr(std::min(skip, key.size()));
}

/// The bytes that all the entries' keys begin with; the whole length when they are all equal.
/// They are known to share `skip`.
std::size_t SharedBytes(std::span<const SortEntry> entries, const Record* records, std::size_t skip,
                        bool* all_equal) {
  const std::string_view first = KeyOf(records[entries[0].index()]);
  std::size_t shared = first.size();
  *all_equal = true;
  for (const SortEntry& entry : entries.subspan(1)) {
    const std::string_view key = KeyOf(records[entry.index()]);
    const std::size_t common = CommonBytes(first, key, skip);
    *all_equal &= common == first.size() && common == key.size();
    shared = std::min(shared, common);
  }
  return shared;
}

void SortByComparing(std::span<SortEntry> entries, const Record* records, std::size_t skip) {
  std::sort(entries.begin(), entries.end(), [&](const SortEntry& a, const SortEntry& b) {
    const int order = CompareBytes(KeyFrom(records, a, skip), KeyFrom(records, b, skip));
    return order != 0 ? order < 0 : a.index() < b.index();
  });
  for (std::size_t i = 1; i < entries.size(); ++i)
    if (KeyFrom(records, entries[i - 1], skip) != KeyFrom(records, entries[i], skip))
      entries[i].low |= SortEntry::kNewKey;
}

void SortLevel(std::span<SortEntry> entries, const Record* records, std::size_t skip, int level);

/// Orders entries that agree in all their key bytes up to `skip` and go on behind it.
void SortTied(std::span<SortEntry> entries, const Record* records, std::size_t skip, int level) {
  bool all_equal = false;
  const std::size_t shared = SharedBytes(entries, records, skip, &all_equal);
  if (all_equal) return;
  // The first entry's mark says how it differs from the entry before the tie, which no order in
  // here changes.
  const std::uint64_t mark = entries[0].low & SortEntry::kNewKey;
  entries[0].low &= ~SortEntry::kNewKey;
  if (entries.size() <= kCompareSortMax || level == kLevelsMax) {
    SortByComparing(entries, records, shared);
  } else {
    for (SortEntry& entry : entries) {
      const std::string_view key = KeyOf(records[entry.index()]);
      entry = MakeSortEntry(key, shared, PaddedPrefix(key, shared), entry.index());
    }
    SortLevel(entries, records, shared, level + 1);
  }
  entries[0].low |= mark;
}

void SortLevel(std::span<SortEntry> entries, const Record* records, std::size_t skip, int level) {
  SortNumbers(entries);
  for (std::size_t i = 0, end; i < entries.size(); i = end) {
    end = i + 1;
    while (end < entries.size() && entries[end].Ties(entries[i])) ++end;
    if (i > 0) entries[i].low |= SortEntry::kNewKey;
    if (end > i + 1 && entries[i].is_long())
      SortTied(entries.subspan(i, end - i), records, skip + 8, level);
  }
}

}  // namespace

void SortAndMark(std::span<SortEntry> entries, const Record* records, std::size_t skip) {
  SortLevel(entries, records, skip, 0);
}

void MarkSorted(std::span<SortEntry> entries, const Record* records, std::size_t skip) {
  for (std::size_t i = 1; i < entries.size(); ++i) {
    const bool same = entries[i].Ties(entries[i - 1]) &&
                      (!entries[i].is_long() || KeyFrom(records, entries[i - 1], skip + 8) ==
                                                    KeyFrom(records, entries[i], skip + 8));
    if (!same) entries[i].low |= SortEntry::kNewKey;
  }
}

}  // namespace spillway
