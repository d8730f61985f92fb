#include "mapreduce/builtin/search.h"

#include <gmock/gmock.h>

#include <random>
#include <vector>

namespace spillway {
namespace {

TEST(FinderTest, AgreesWithStringFind) {
  for (unsigned seed = 0; seed < 1000; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    std::string text(random() % 300, 'a');
    for (char& c : text) c = static_cast<char>('a' + random() % 2);
    std::string pattern(1 + random() % 12, 'a');
    for (char& c : pattern) c = static_cast<char>('a' + random() % 2);
    const std::vector<char> exact(text.begin(), text.end());  // Reads beyond it are seen.
    const std::string_view view(exact.data(), exact.size());
    const Finder finder(pattern);
    for (std::size_t from = 0; from <= text.size() + 1; from += 1 + random() % 7)
      EXPECT_EQ(finder.Find(view, from), text.find(pattern, from)) << text << " / " << pattern;
  }
}

TEST(FinderTest, AnEmptyPatternIsEverywhere) {
  const Finder finder("");
  EXPECT_EQ(finder.Find("abc", 0), 0u);
  EXPECT_EQ(finder.Find("abc", 3), 3u);
  EXPECT_EQ(finder.Find("abc", 4), Finder::kNone);
}

TEST(LineAtTest, GivesTheLineThatHoldsAPlace) {
  const std::string_view text = "one\n\nthree";
  EXPECT_EQ(LineAt(text, 0), "one");
  EXPECT_EQ(LineAt(text, 3), "one");
  EXPECT_EQ(LineAt(text, 4), "");
  EXPECT_EQ(LineAt(text, 5), "three");
  EXPECT_EQ(LineAt(text, 9), "three");
}

}  // namespace
}  // namespace spillway
