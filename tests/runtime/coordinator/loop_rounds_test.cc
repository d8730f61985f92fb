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

TEST(LoopRounds, KeepsTheNewestRoundOnlyWhereRoundsStandAlone) {
  LoopRounds rounds(kGeneration, 2, true);
  for (std::uint32_t round = 0; round < 3; ++round) {
    rounds.Add(kGeneration, round, 0, std::string(10, 'a'));
    EXPECT_EQ(rounds.bytes(), round == 0 ? 10u : 40u) << "the one in progress counts as well";
    EXPECT_TRUE(rounds.Add(kGeneration, round, 1, std::string(20, static_cast<char>('a' + round))));
    EXPECT_EQ(rounds.bytes(), 30u);
    EXPECT_EQ(rounds.round(), round + 1);
    EXPECT_EQ(rounds.kept_from(), round);
    EXPECT_EQ(rounds.Done(round)[1][0], static_cast<char>('a' + round));
  }
  EXPECT_FALSE(rounds.Add(kGeneration, 2, 0, "late"));
}

}  // namespace
}  // namespace spillway
