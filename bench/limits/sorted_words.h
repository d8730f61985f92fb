// WordList: the words of one table in byte order, and the union of several such lists by key
// ranges, so that threads can each merge and write a range of their own.
#pragma once

#include <hwy/contrib/sort/vqsort.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "bench/limits/files.h"
#include "mapreduce/base/coding.h"

namespace spillway::limits {

/// Sorted references to the words of a table, which must not change any more and outlives this.
template <class Table>
class WordList {
 public:
  using Reference = typename Table::Reference;

  WordList() = default;

  /// Sorts by 8-byte prefixes, vectorised; words that share theirs are then compared in full.
  explicit WordList(const Table& table) : memory_(table.size() * sizeof(hwy::uint128_t)) {
    entries_ = reinterpret_cast<hwy::uint128_t*>(memory_.data());
    table.ForEach([&](Reference reference, std::string_view word) {
      entries_[size_++] = {reference,
                           KeyPrefix(word.data(), static_cast<std::uint32_t>(word.size()))};
    });
    hwy::Sorter()(entries_, size_, hwy::SortAscending());
    for (std::size_t i = 0, end; i < size_; i = end) {
      for (end = i + 1; end < size_ && entries_[end].hi == entries_[i].hi;) ++end;
      if (end - i > 1)
        std::sort(entries_ + i, entries_ + end, [](const auto& a, const auto& b) {
          return Table::WordOf(a.lo) < Table::WordOf(b.lo);
        });
    }
  }

  std::size_t size() const { return size_; }
  std::uint64_t prefix(std::size_t i) const { return entries_[i].hi; }
  std::string_view word(std::size_t i) const { return Table::WordOf(entries_[i].lo); }
  Reference reference(std::size_t i) const { return entries_[i].lo; }

  /// Fetches the word and payload, which lie in no order; nothing behind the end.
  void Prefetch(std::size_t i) const {
    if (i < size_) Table::Prefetch(entries_[i].lo);
  }

  /// Less than, equal to or greater than 0 as words do.
  static int Compare(const WordList& a, std::size_t i, const WordList& b, std::size_t j) {
    if (a.prefix(i) != b.prefix(j)) return a.prefix(i) < b.prefix(j) ? -1 : 1;
    return a.word(i).compare(b.word(j));
  }

  /// The first word that is not less than b's word j.
  std::size_t LowerBound(const WordList& b, std::size_t j) const {
    std::size_t begin = 0, end = size_;
    while (begin < end) {
      const std::size_t middle = (begin + end) / 2;
      if (Compare(*this, middle, b, j) < 0)
        begin = middle + 1;
      else
        end = middle;
    }
    return begin;
  }

 private:
  LargeBuffer memory_;
  hwy::uint128_t* entries_ = nullptr;  ///< {table's reference, prefix}: sorts by the prefix.
  std::size_t size_ = 0;
};

/// Merges part `range` of `ranges` about equal key ranges: calls visit(word, references) per
/// distinct word in byte order, where references[i] is that of lists[i] or 0.
template <class Table, class Visit>
void MergeRange(const std::vector<const WordList<Table>*>& lists, unsigned range, unsigned ranges,
                Visit visit) {
  // The longest list is a fair sample of all: its quantiles are the borders.
  const auto& longest =
      **std::max_element(lists.begin(), lists.end(),
                         [](const auto* a, const auto* b) { return a->size() < b->size(); });
  auto border = [&](const auto& list, unsigned index) {
    if (index == 0) return std::size_t{0};
    if (index == ranges) return list.size();
    return list.LowerBound(longest, longest.size() * index / ranges);
  };
  if (longest.size() == 0) return;
  std::vector<std::size_t> at, end;
  for (const auto* list : lists) {
    at.push_back(border(*list, range));
    end.push_back(border(*list, range + 1));
  }
  constexpr std::size_t kPrefetchAhead = 16;
  std::vector<typename Table::Reference> references(lists.size());
  for (;;) {
    // There are as many lists as threads: a scan beats any tree.
    std::size_t smallest = lists.size();
    for (std::size_t i = 0; i < lists.size(); ++i) {
      references[i] = 0;
      if (at[i] == end[i]) continue;
      const int order =
          smallest == lists.size()
              ? -1
              : WordList<Table>::Compare(*lists[i], at[i], *lists[smallest], at[smallest]);
      if (order > 0) continue;
      if (order < 0) {
        std::fill_n(references.begin(), i, 0);
        smallest = i;
      }
      references[i] = lists[i]->reference(at[i]);
    }
    if (smallest == lists.size()) return;
    const std::string_view word = lists[smallest]->word(at[smallest]);
    for (std::size_t i = 0; i < lists.size(); ++i) {
      if (references[i] != 0) lists[i]->Prefetch(at[i]++ + kPrefetchAhead);
    }
    visit(word, references);
  }
}

}  // namespace spillway::limits
