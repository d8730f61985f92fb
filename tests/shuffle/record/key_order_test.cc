#include "shuffle/record/key_order.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace spillway {
namespace {

int Sign(int order) { return (order > 0) - (order < 0); }

// Shortest first, then by bytes: not the order of the bytes alone.
int CompareLengthFirst(const char* a, uint32_t a_bytes, const char* b, uint32_t b_bytes) {
  if (a_bytes != b_bytes) return a_bytes < b_bytes ? -1 : 1;
  return CompareBytes({a, a_bytes}, {b, b_bytes});
}

uint32_t FirstByte(const char*, uint32_t key_bytes) { return std::min(key_bytes, 1u); }

int SameLength(const char*, uint32_t a_bytes, const char*, uint32_t b_bytes) {
  return a_bytes == b_bytes;
}

TEST(KeyOrder, BytesCompareUnsignedAndShorterFirst) {
  EXPECT_LT(CompareBytes("a", "b"), 0);
  EXPECT_LT(CompareBytes("a", "ab"), 0);
  EXPECT_LT(CompareBytes("", "a"), 0);
  EXPECT_EQ(CompareBytes("", ""), 0);
  EXPECT_LT(CompareBytes("\x7f", "\x80"), 0);
  EXPECT_LT(CompareBytes("a", std::string_view("a\0", 2)), 0);
}

TEST(KeyOrder, BytesAgreeWithStringsOverRandomKeys) {
  for (std::uint64_t seed = 0; seed < 5'000; ++seed) {
    std::mt19937_64 random(seed);
    std::string a(random() % 5, '\0'), b(random() % 5, '\0');
    for (char& c : a) c = static_cast<char>(random() % 2 * 0xff);
    for (char& c : b) c = static_cast<char>(random() % 2 * 0xff);
    SCOPED_TRACE("seed " + std::to_string(seed));
    EXPECT_EQ(Sign(KeyOrder().Compare(a, b)), Sign(a.compare(b)));
    EXPECT_EQ(KeyOrder().SameGroup(a, b), a == b);
  }
}

TEST(KeyOrder, PluginsFunctionDecidesOrderAndGroups) {
  KeyOrder order;
  order.compare = &CompareLengthFirst;
  EXPECT_FALSE(order.is_bytes());
  EXPECT_TRUE(order.groups_are_keys());
  EXPECT_LT(order.Compare("z", "aa"), 0);
  EXPECT_TRUE(order.SameGroup("ab", "ab"));
  EXPECT_FALSE(order.SameGroup("ab", "ac"));
}

TEST(KeyOrder, LeadingBytesNameTheGroup) {
  KeyOrder order;
  order.group_bytes = &FirstByte;
  EXPECT_FALSE(order.groups_are_keys());
  EXPECT_EQ(order.GroupOf("abc"), "a");
  EXPECT_EQ(order.GroupOf(""), "");
  EXPECT_TRUE(order.SameGroup("ab", "ac"));
  EXPECT_FALSE(order.SameGroup("ab", "bb"));
}

TEST(KeyOrder, SameGroupOverridesLeadingBytes) {
  KeyOrder order;
  order.group_bytes = &FirstByte;
  order.same_group = &SameLength;
  EXPECT_TRUE(order.SameGroup("ab", "cd"));
  EXPECT_FALSE(order.SameGroup("ab", "abc"));
}

}  // namespace
}  // namespace spillway
