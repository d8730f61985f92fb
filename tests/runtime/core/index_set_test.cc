#include "runtime/core/index_set.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace spillway {
namespace {

TEST(IndexSet, AnswersAsAnOrderedSetDoes) {
  for (const std::uint32_t capacity : {1u, 63u, 64u, 65u, 4'096u, 4'097u, 300'000u}) {
    SCOPED_TRACE("seed and capacity " + std::to_string(capacity));
    std::mt19937 random(capacity);
    IndexSet set(capacity);
    std::set<std::uint32_t> oracle;
    for (int i = 0; i < 3'000; ++i) {
      const std::uint32_t index = random() % capacity;
      if (random() % 2 == 0) {
        set.Insert(index);
        oracle.insert(index);
      } else {
        set.Erase(index);
        oracle.erase(index);
      }
      ASSERT_EQ(set.size(), oracle.size());
      ASSERT_EQ(set.contains(index), oracle.contains(index));
      const std::uint32_t from = random() % (capacity + 70);
      const auto next = oracle.lower_bound(from);
      ASSERT_EQ(set.Next(from), next == oracle.end() ? IndexSet::kNone : *next);
    }
  }
}

TEST(IndexSet, KeepsItsMembersWhenItGrows) {
  IndexSet set;
  for (std::uint32_t i = 0; i < 300'000; i = i * 2 + 1) {
    set.Grow(i + 1);
    set.Insert(i);
    std::uint32_t member = 0;
    for (std::uint32_t j = 0; j <= i; j = j * 2 + 1) {
      ASSERT_EQ(set.Next(member), j);
      member = j + 1;
    }
    ASSERT_EQ(set.Next(member), IndexSet::kNone);
  }
}

TEST(IndexSet, FillsAndClears) {
  IndexSet set(130);
  set.Fill();
  EXPECT_EQ(set.size(), 130u);
  EXPECT_EQ(set.Next(129), 129u);
  EXPECT_EQ(set.Next(130), IndexSet::kNone);
  set.Clear();
  EXPECT_TRUE(set.empty());
  EXPECT_EQ(set.Next(0), IndexSet::kNone);
}

}  // namespace
}  // namespace spillway
