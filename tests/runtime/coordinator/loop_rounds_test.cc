#include "runtime/coordinator/loop_rounds.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace spillway {
namespace {

constexpr std::uint64_t kGeneration = 3;

TEST(LoopRounds, IsDoneWithARoundWhenEveryPartIsThereInWhateverOrder) {
  LoopRounds rounds({.generation = kGeneration, .parts = 3});
  EXPECT_FALSE(rounds.Add(kGeneration, 0, 2, "c"));
  EXPECT_FALSE(rounds.Add(kGeneration, 0, 0, "a"));
  EXPECT_EQ(rounds.round(), 0u);
  EXPECT_TRUE(rounds.Add(kGeneration, 0, 1, "b"));
  EXPECT_EQ(rounds.round(), 1u);
  EXPECT_EQ(rounds.Done(0), (std::vector<std::string>{"a", "b", "c"}));
}

TEST(LoopRounds, CountsAnEmptyPartAsOne) {
  LoopRounds rounds({.generation = kGeneration, .parts = 2});
  EXPECT_FALSE(rounds.Add(kGeneration, 0, 0, ""));
  EXPECT_FALSE(rounds.Add(kGeneration, 0, 0, ""));
  EXPECT_TRUE(rounds.Add(kGeneration, 0, 1, ""));
}

TEST(LoopRounds, KeepsTheFirstOfTwoContributions) {
  LoopRounds rounds({.generation = kGeneration, .parts = 2});
  EXPECT_FALSE(rounds.Add(kGeneration, 0, 0, "first"));
  EXPECT_FALSE(rounds.Add(kGeneration, 0, 0, "second"));
  EXPECT_TRUE(rounds.Add(kGeneration, 0, 1, "x"));
  EXPECT_EQ(rounds.Done(0)[0], "first");
}

TEST(LoopRounds, IgnoresOtherRoundsGenerationsAndParts) {
  LoopRounds rounds({.generation = kGeneration, .parts = 1});
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
  LoopRounds rounds({.generation = kGeneration, .parts = 2, .stand_alone = true});
  for (std::uint32_t round = 0; round < 3; ++round) {
    rounds.Add(kGeneration, round, 0, std::string(10, 'a'));
    EXPECT_EQ(rounds.bytes(), round == 0 ? 10u : 40u) << "the one in progress counts as well";
    EXPECT_TRUE(rounds.Add(kGeneration, round, 1, std::string(20, static_cast<char>('a' + round))));
    EXPECT_EQ(rounds.bytes(), 30u);
    EXPECT_EQ(rounds.round(), round + 1);
    EXPECT_EQ(rounds.kept_from(), round);
    EXPECT_FALSE(rounds.NeedsState()) << "the round is enough";
    EXPECT_EQ(rounds.Done(round)[1][0], static_cast<char>('a' + round));
  }
  EXPECT_FALSE(rounds.Add(kGeneration, 2, 0, "late"));
}

TEST(LoopRounds, ForgetsThoseBeforeACheckpoint) {
  LoopRounds rounds({.generation = kGeneration, .parts = 1});
  for (std::uint32_t round = 0; round < 5; ++round)
    rounds.Add(kGeneration, round, 0, std::string(10, static_cast<char>('a' + round)));
  EXPECT_EQ(rounds.bytes(), 50u);
  EXPECT_FALSE(rounds.NeedsState());
  rounds.DropBefore(3);
  EXPECT_EQ(rounds.kept_from(), 3u);
  EXPECT_EQ(rounds.bytes(), 20u);
  EXPECT_EQ(rounds.round(), 5u);
  EXPECT_EQ(rounds.Done(4)[0][0], 'e');
  EXPECT_TRUE(rounds.NeedsState());
  rounds.DropBefore(2);
  EXPECT_EQ(rounds.kept_from(), 3u) << "nothing comes back";
}

TEST(LoopRounds, BeginAtACheckpoint) {
  for (const bool stand_alone : {false, true}) {
    LoopRounds rounds(
        {.generation = kGeneration, .parts = 1, .stand_alone = stand_alone, .first_round = 6});
    EXPECT_EQ(rounds.round(), 6u);
    EXPECT_EQ(rounds.kept_from(), 6u);
    EXPECT_TRUE(rounds.NeedsState());
    EXPECT_FALSE(rounds.Add(kGeneration, 0, 0, "of the rounds before"));
    EXPECT_TRUE(rounds.Add(kGeneration, 6, 0, "x"));
    EXPECT_EQ(rounds.NeedsState(), !stand_alone);
  }
}

}  // namespace
}  // namespace spillway
