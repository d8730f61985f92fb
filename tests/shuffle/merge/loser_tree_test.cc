#include "shuffle/merge/loser_tree.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace spillway {
namespace {

/// Sorted queues of (prefix, rest), of which the tree sees the prefixes only.
using Queue = std::vector<std::pair<std::uint64_t, std::uint64_t>>;

struct Game {
  std::vector<Queue> queues;
  std::vector<std::size_t> next;

  bool over(std::uint32_t player) const { return next[player] == queues[player].size(); }
  std::uint64_t prefix(std::uint32_t player) const {
    return over(player) ? UINT64_MAX : queues[player][next[player]].first;
  }
  bool Before(std::uint32_t a, std::uint32_t b) const {
    if (over(a) || over(b)) return over(b) && (!over(a) || a < b);
    const auto rest_a = queues[a][next[a]].second;
    const auto rest_b = queues[b][next[b]].second;
    return rest_a != rest_b ? rest_a < rest_b : a < b;
  }
};

TEST(LoserTreeTest, DrawsAllPlayersInOrder) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    std::mt19937_64 random(seed);
    Game game;
    game.queues.resize(1 + random() % 40);
    game.next.resize(game.queues.size());
    std::vector<std::tuple<std::uint64_t, std::uint64_t, std::uint32_t>> expected;
    for (std::uint32_t player = 0; player < game.queues.size(); ++player) {
      Queue& queue = game.queues[player];
      for (std::size_t i = random() % 20; i > 0; --i)
        queue.emplace_back(random() % 3 == 0 ? UINT64_MAX : random() % 10, random() % 3);
      std::sort(queue.begin(), queue.end());
      for (const auto& [prefix, rest] : queue) expected.emplace_back(prefix, rest, player);
    }
    std::sort(expected.begin(), expected.end());

    const auto before = [&](std::uint32_t a, std::uint32_t b) { return game.Before(a, b); };
    LoserTree<decltype(before)> tree(before);
    std::vector<std::uint64_t> prefixes;
    for (std::uint32_t player = 0; player < game.queues.size(); ++player)
      prefixes.push_back(game.prefix(player));
    tree.Build(prefixes);
    for (const auto& [prefix, rest, player] : expected) {
      const std::uint32_t winner = tree.winner();
      ASSERT_EQ(winner, player);
      ASSERT_EQ(game.queues[winner][game.next[winner]], std::pair(prefix, rest));
      ++game.next[winner];
      tree.Replace(game.prefix(winner));
    }
    EXPECT_TRUE(game.over(tree.winner()));
  }
}

}  // namespace
}  // namespace spillway
