#include "runtime/coordinator/loop_rounds.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace spillway {
namespace {

constexpr std::uint64_t kGeneration = 3;

TEST(LoopRounds, IsDoneWithARoundWhenEveryPartIsThereInWhateverOrder) {
  LoopRounds rounds(kGeneration, 3);
  EXPECT_FALSE(rounds.Add(kGeneration, 0, 2, "c"));
  EXPECT_FALSE(rounds.Add(kGeneration, 0, 0, "a"));
  EXPECT_EQ(rounds.round(), 0u);
  EXPECT_TRUE(rounds.Add(kGeneration, 0, 1, "b"));
  EXPECT_EQ(rounds.round(), 1u);
  EXPECT_EQ(rounds.Done(0), (std::vector<std::string>{"a", "b", "c"}));
}

TEST(LoopRounds, CountsAnEmptyPartAsOne) {
  LoopRounds rounds(kGeneration, 2);
  EXPECT_FALSE(rounds.Add(kGeneration, 0, 0, ""));
  EXPECT_FALSE(rounds.Add(kGeneration, 0, 0, ""));
  EXPECT_TRUE(rounds.Add(kGeneration, 0, 1, ""));
}

TEST(LoopRounds, KeepsTheFirstOfTwoContributions) {
  LoopRounds rounds(kGeneration, 2);
  EXPECT_FALSE(rounds.Add(kGeneration, 0, 0, "first"));
  EXPECT_FALSE(rounds.Add(kGeneration, 0, 0, "second"));
  EXPECT_TRUE(rounds.Add(kGeneration, 0, 1, "x"));
  EXPECT_EQ(rounds.Done(0)[0], "first");
}

TEST(LoopRounds, IgnoresOtherRoundsGenerationsAndParts) {
  LoopRounds rounds(kGeneration, 1);
  EXPECT_FALSE(rounds.Add(kGeneration, 1, 0, "too early"));
  EXPECT_FALSE(rounds.Add(kGeneration - 1, 0, 0, "stale"));
  EXPECT_FALSE(rounds.Add(kGeneration, 0, 1, "no such part"));
  EXPECT_EQ(rounds.bytes(), 0u);
  EXPECT_TRUE(rounds.Add(kGeneration, 0, 0, "good"));
  EXPECT_FALSE(rounds.Add(kGeneration, 0, 0, "late"));
  EXPECT_EQ(rounds.round(), 1u);
  EXPECT_EQ(rounds.bytes(), 4u);
}

}  // namespace
}  // namespace spillway
