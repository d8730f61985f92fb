#include "shuffle/merge/batch_sorter.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "mapreduce/base/check.h"
#include "shuffle/record/key_order.h"

namespace spillway {
namespace {

/// Ties up to this many are not worth new prefixes.
constexpr std::size_t kCompareSortMax = 16;

/// Each level costs a pass over the tied keys. Keys that need more are as good as made to hurt.
constexpr int kLevelsMax = 8;

/// Buckets with more entries would cost an insertion sort too much.
constexpr std::uint32_t kCrowdedBucket = 16;

/// Entries that are almost in order.
void InsertionSort(std::span<SortEntry> entries) {
  for (std::size_t i = 1; i < entries.size(); ++i) {
    if (!(entries[i] < entries[i - 1])) continue;
    const SortEntry moving = entries[i];
    std::size_t hole = i;
    for (; hole > 0 && moving < entries[hole - 1]; --hole) entries[hole] = entries[hole - 1];
    entries[hole] = moving;
  }
}

/// A hot key's bucket is in order as it is, because the scatter kept its indexes in order.
void SortCrowded(std::span<SortEntry> entries, std::span<const std::uint32_t> bucket_ends) {
  std::size_t begin = 0;
  for (const std::uint32_t end : bucket_ends) {
    const std::span bucket = entries.subspan(begin, end - begin);
    if (bucket.size() > kCrowdedBucket && !std::is_sorted(bucket.begin(), bucket.end()))
      SortNumbers(bucket);
    begin = end;
  }
}

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
void SettleTies(std::span<SortEntry> entries, const Record* records, std::size_t skip, int level);

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
  SettleTies(entries, records, skip, level);
}

void SettleTies(std::span<SortEntry> entries, const Record* records, std::size_t skip, int level) {
  for (std::size_t i = 0, end; i < entries.size(); i = end) {
    end = i + 1;
    while (end < entries.size() && entries[end].Ties(entries[i])) ++end;
    if (i > 0) entries[i].low |= SortEntry::kNewKey;
    if (end > i + 1 && entries[i].is_long())
      SortTied(entries.subspan(i, end - i), records, skip + 8, level);
  }
}

}  // namespace

BatchSorter::BatchSorter(std::size_t entries_max)
    : entries_max_(entries_max),
      entries_(std::make_unique_for_overwrite<SortEntry[]>(entries_max)),
      sorted_(std::make_unique_for_overwrite<SortEntry[]>(entries_max)),
      bucket_ends_(std::make_unique_for_overwrite<std::uint32_t[]>(2 * entries_max)) {}

/// Sorts by prefix, length class and index into sorted_.
std::span<SortEntry> BatchSorter::Sort(std::size_t count) {
  SPILLWAY_DCHECK(count > 0 && count <= entries_max_);
  const std::span<const SortEntry> entries(entries_.get(), count);
  std::uint64_t low = UINT64_MAX;
  std::uint64_t high = 0;
  for (const SortEntry& entry : entries) {
    low = std::min(low, entry.high);
    high = std::max(high, entry.high);
  }
  // A bucket is a power of two of prefixes, and there are count / 2 to 2 * count of them.
  const int range_bits = std::bit_width(high - low);
  const int shift = std::max(0, range_bits - static_cast<int>(std::bit_width(count)));
  const std::size_t buckets = ((high - low) >> shift) + 1;
  std::uint32_t* const ends = bucket_ends_.get();
  std::memset(ends, 0, buckets * sizeof *ends);
  for (const SortEntry& entry : entries) ++ends[(entry.high - low) >> shift];
  std::uint32_t begin = 0;
  std::uint32_t crowd = 0;
  for (std::size_t i = 0; i < buckets; ++i) {
    crowd = std::max(crowd, ends[i]);
    begin += std::exchange(ends[i], begin);
  }
  for (const SortEntry& entry : entries) sorted_[ends[(entry.high - low) >> shift]++] = entry;

  const std::span sorted(sorted_.get(), count);
  if (crowd > kCrowdedBucket) SortCrowded(sorted, std::span(ends, buckets));
  InsertionSort(sorted);
  return sorted;
}

std::span<const SortEntry> BatchSorter::SortAndMark(std::size_t count, const Record* records,
                                                    std::size_t skip) {
  const std::span<SortEntry> sorted = Sort(count);
  SettleTies(sorted, records, skip, 0);
  return sorted;
}

std::span<const SortEntry> BatchSorter::MarkSorted(std::size_t count, const Record* records,
                                                   std::size_t skip) {
  const std::span entries(entries_.get(), count);
  for (std::size_t i = 1; i < count; ++i) {
    const bool same = entries[i].Ties(entries[i - 1]) &&
                      (!entries[i].is_long() || KeyFrom(records, entries[i - 1], skip + 8) ==
                                                    KeyFrom(records, entries[i], skip + 8));
    if (!same) entries[i].low |= SortEntry::kNewKey;
  }
  return entries;
}

}  // namespace spillway
