#include "mapreduce/base/name_suggestion.h"

#include <algorithm>
#include <numeric>

namespace spillway {
namespace {

/// A longer word is no slip of the pen, and the distance takes time that grows with the square.
constexpr std::size_t kWordBytesMax = 64;

std::string OnlyCompletion(std::string_view word, const std::vector<std::string>& names) {
  std::string found;
  for (const std::string& name : names) {
    if (!std::string_view(name).starts_with(word)) continue;
    if (!found.empty()) return {};
    found = name;
  }
  return found;
}

}  // namespace

std::size_t EditDistance(std::string_view a, std::string_view b) {
  // Three rows of the usual table: a swap looks back by two.
  std::vector<std::size_t> before_last(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  std::iota(last.begin(), last.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replace = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, replace});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
    before_last.swap(last);
    last.swap(row);
  }
  return last[b.size()];
}

std::string NearestName(std::string_view word, const std::vector<std::string>& names) {
  if (word.empty() || word.size() > kWordBytesMax) return {};
  const std::size_t distance_max = std::max<std::size_t>(1, word.size() / 3);
  std::size_t nearest = distance_max + 1;
  std::string found;
  for (const std::string& name : names) {
    const std::size_t distance = EditDistance(word, name);
    // A name that shares no byte with the word was not meant, however short both are.
    if (distance >= nearest || distance >= std::max(word.size(), name.size())) continue;
    nearest = distance;
    found = name;
  }
  return found.empty() ? OnlyCompletion(word, names) : found;
}

std::string DidYouMean(std::string_view word, const std::vector<std::string>& names,
                       std::string_view prefix) {
  const std::string name = NearestName(word, names);
  if (name.empty()) return {};
  return " Did you mean " + std::string(prefix) + name + "?";
}

}  // namespace spillway
