// "Did you mean": finds the known name that a mistyped word stands for. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace spillway {

/// Insertions, deletions, replacements and swaps of neighbours that lead from `a` to `b` (optimal
/// string alignment: no piece is edited twice).
std::size_t EditDistance(std::string_view a, std::string_view b);

/// The nearest of `names` when it is near enough to be meant: within a third of the word's length
/// (at least one edit), or the only name that begins with the word. Empty when there is none.
std::string NearestName(std::string_view word, const std::vector<std::string>& names);

/// " Did you mean NAME?" with `prefix` before the name, or nothing.
std::string DidYouMean(std::string_view word, const std::vector<std::string>& names,
                       std::string_view prefix = "");

}  // namespace spillway
