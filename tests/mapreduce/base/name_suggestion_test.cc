#include "mapreduce/base/name_suggestion.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace spillway {
namespace {

/// The definition, without any table: only for short words.
std::size_t DistanceByDefinition(std::string_view a, std::string_view b) {
  if (a.empty() || b.empty()) return a.size() + b.size();
  const auto drop = [](std::string_view text, std::size_t n) {
    return text.substr(0, text.size() - n);
  };
  const std::size_t replace = a.back() == b.back() ? 0 : 1;
  std::size_t best =
      std::min({DistanceByDefinition(drop(a, 1), b) + 1, DistanceByDefinition(a, drop(b, 1)) + 1,
                DistanceByDefinition(drop(a, 1), drop(b, 1)) + replace});
  if (a.size() > 1 && b.size() > 1 && a.back() == b[b.size() - 2] && b.back() == a[a.size() - 2])
    best = std::min(best, DistanceByDefinition(drop(a, 2), drop(b, 2)) + 1);
  return best;
}

TEST(EditDistance, EqualsTheDefinition) {
  const unsigned seed = 20'240'501;
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const auto word = [&] {
    std::string text(random() % 6, ' ');
    for (char& c : text) c = static_cast<char>('a' + random() % 3);
    return text;
  };
  for (int i = 0; i < 300; ++i) {
    const std::string a = word(), b = word();
    ASSERT_EQ(EditDistance(a, b), DistanceByDefinition(a, b)) << a << " and " << b;
  }
}

TEST(NearestName, FindsSlipsAndAbbreviationsButNothingFarOff) {
  const std::vector<std::string> names = {"memory", "reducers", "retries", "spill-dir",
                                          "wordcount"};
  EXPECT_EQ(NearestName("memroy", names), "memory");
  EXPECT_EQ(NearestName("reducer", names), "reducers");
  EXPECT_EQ(NearestName("spill_dir", names), "spill-dir");
  EXPECT_EQ(NearestName("word", names), "wordcount");
  EXPECT_EQ(NearestName("re", names), "");  // Two names begin with it.
  EXPECT_EQ(NearestName("banana", names), "");
  EXPECT_EQ(NearestName("x", {"y"}), "");
  EXPECT_EQ(NearestName("", names), "");
  EXPECT_EQ(NearestName(std::string(1'000'000, 'm'), names), "");
}

}  // namespace
}  // namespace spillway
