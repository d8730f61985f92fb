#include "shuffle/sort/key_sorter.h"

#include <algorithm>
#include <bit>

namespace spillway {
namespace {

/// How far ahead of its use a record is asked for. Sorted entries point all over the arena, and
/// one miss lasts about as long as the work on this many entries.
constexpr std::size_t kPrefetchEntries = 16;

/// A common prefix shorter than this leaves more than half of a digit, which decides most orders;
/// looking at all keys once more would cost more than the ties it saves.
constexpr std::uint64_t kSkipBytesMin = 4;

/// How many entries are asked whether a bucket may have a common prefix, before all of them are.
constexpr std::size_t kSampleEntries = 16;

/// Whether the digit does not decide between two neighbours of a sorted run.
bool Tie(const ArenaEntry& a, const ArenaEntry& b) {
  return a.high == b.high && a.length_class() == ArenaEntry::kLongClass;
}

/// How many bytes `a` and `b` have in common from `begin` on, up to `end`, where both reach.
std::uint64_t AgreeingBytes(const char* a, const char* b, std::uint64_t begin, std::uint64_t end) {
  for (std::uint64_t i = begin; i < end; i += 8) {
    const std::uint64_t differ = LoadBig64(a + i) ^ LoadBig64(b + i);
    if (differ != 0)
      return std::min(end, i + static_cast<std::uint64_t>(std::countl_zero(differ)) / 8) - begin;
  }
  return end - begin;
}

}  // namespace

std::uint64_t KeySorter::Digit::common_bytes() const {
  const auto agreeing = static_cast<std::uint64_t>(std::countl_zero(differing_bits)) / 8;
  return std::min({agreeing, class_min, ArenaEntry::kPrefixBytes});
}

void KeySorter::Sort(std::span<ArenaEntry> bucket) {
  if (bucket.size() < 2) return;
  const std::uint64_t depth = SkipCommonPrefix(bucket);
  SortNumbers(bucket, kernel_);
  SettleTies(bucket, depth);
}

void KeySorter::SortBy(const KeyOrder& order, std::span<ArenaEntry> bucket) const {
  // The offset makes all entries different, yet it takes std::stable_sort: a merge sort stays
  // inside its array when a plugin's order contradicts itself, std::sort does not.
  std::stable_sort(bucket.begin(), bucket.end(), [&](const ArenaEntry& a, const ArenaEntry& b) {
    const int compared = order.Compare(KeyOf(a), KeyOf(b));
    return compared != 0 ? compared < 0 : a.offset() < b.offset();
  });
}

// Returns the depth that the entries have afterwards.
std::uint64_t KeySorter::SkipCommonPrefix(std::span<ArenaEntry> bucket) const {
  // Most buckets have nothing in common, which their first entries tell.
  if (Survey(bucket.first(std::min(bucket.size(), kSampleEntries))).common_bytes() < kSkipBytesMin)
    return 0;
  const Digit digit = Survey(bucket);
  std::uint64_t depth = digit.common_bytes();
  if (depth < kSkipBytesMin || digit.class_max <= depth) return 0;
  if (depth == ArenaEntry::kPrefixBytes) depth += CommonBytesFrom(bucket, depth);
  LookAt(bucket, depth);
  return depth;
}

void KeySorter::SettleTies(std::span<ArenaEntry> sorted, std::uint64_t depth) {
  runs_.push_back({sorted, depth});
  while (!runs_.empty()) {
    Run& run = runs_.back();
    const std::span<ArenaEntry> tied = NextTie(run);
    const std::uint64_t next_depth = run.depth + ArenaEntry::kPrefixBytes;
    // A run that is at its end leaves before its last tie enters: the stack holds no finished run.
    if (run.next == run.entries.size()) runs_.pop_back();
    if (!tied.empty()) Settle(tied, next_depth);
  }
}

// Sorts entries that agree up to `depth`, each of which goes on there, and queues them for the ties
// that are left. They come in order of arrival.
void KeySorter::Settle(std::span<ArenaEntry> tied, std::uint64_t depth) {
  LookAt(tied, depth);
  Digit digit = Survey(tied);
  if (!digit.differs() && digit.class_max == ArenaEntry::kLongClass) {
    depth += ArenaEntry::kPrefixBytes;
    depth += CommonBytesFrom(tied, depth);
    LookAt(tied, depth);
    digit = Survey(tied);
  }
  if (!digit.differs()) return;  // Equal keys, and in order already.
  SortNumbers(tied, kernel_);
  if (digit.class_max == ArenaEntry::kLongClass) runs_.push_back({tied, depth});
}

// The next two or more entries of which the digit does not decide; empty at the end.
std::span<ArenaEntry> KeySorter::NextTie(Run& run) const {
  const std::span<ArenaEntry> entries = run.entries;
  std::size_t begin = run.next;
  while (begin + 1 < entries.size() && !Tie(entries[begin], entries[begin + 1])) {
    ++begin;
    PrefetchTie(run, begin + kPrefetchEntries);
  }
  if (begin + 1 >= entries.size()) {
    run.next = entries.size();
    return {};
  }
  std::size_t end = begin + 2;
  while (end < entries.size() && entries[end].high == entries[begin].high) ++end;
  for (std::size_t at = std::max(begin + 1 + kPrefetchEntries, end); at <= end + kPrefetchEntries;
       ++at)
    PrefetchTie(run, at);
  run.next = end;
  return entries.subspan(begin, end - begin);
}

void KeySorter::PrefetchTie(const Run& run, std::size_t at) const {
  if (at + 1 >= run.entries.size() || !Tie(run.entries[at], run.entries[at + 1])) return;
  __builtin_prefetch(arena_ + run.entries[at].offset());
  __builtin_prefetch(arena_ + run.entries[at + 1].offset());
}

KeySorter::Digit KeySorter::Survey(std::span<const ArenaEntry> entries) {
  Digit digit;
  for (const ArenaEntry& entry : entries) {
    digit.differing_bits |= entry.high ^ entries[0].high;
    digit.class_min = std::min(digit.class_min, entry.length_class());
    digit.class_max = std::max(digit.class_max, entry.length_class());
  }
  return digit;
}

void KeySorter::LookAt(std::span<ArenaEntry> entries, std::uint64_t depth) const {
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (i + kPrefetchEntries < entries.size()) {
      const char* ahead = arena_ + entries[i + kPrefetchEntries].offset();
      __builtin_prefetch(ahead);
      __builtin_prefetch(ahead + depth);
    }
    entries[i].LookAt(KeyOf(entries[i]), depth);
  }
}

// How many bytes all keys have in common from `depth` on, up to which they agree.
std::uint64_t KeySorter::CommonBytesFrom(std::span<const ArenaEntry> entries,
                                         std::uint64_t depth) const {
  const std::string_view first = KeyOf(entries[0]);
  std::uint64_t end = first.size();
  for (std::size_t i = 1; i < entries.size() && end > depth; ++i) {
    if (i + kPrefetchEntries < entries.size())
      __builtin_prefetch(arena_ + entries[i + kPrefetchEntries].offset() + depth);
    const std::string_view key = KeyOf(entries[i]);
    end = std::min<std::uint64_t>(end, key.size());
    end = depth + AgreeingBytes(first.data(), key.data(), depth, end);
  }
  return end - depth;
}

}  // namespace spillway
