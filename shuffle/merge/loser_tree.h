// LoserTree: a tournament over k players that finds the next smallest in log2(k) comparisons, each
// of them against a stored loser (Knuth, The Art of Computer Programming 3, 5.4.1). Nodes hold an
// 8-byte prefix of the player's key, so that most comparisons touch the tree only. One thread.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace spillway {

/// `Before(a, b)` orders two different players whose prefixes are equal; it is a strict total
/// order (equal keys by rank) and puts players that are out of the game behind all others. Those
/// have the prefix UINT64_MAX.
template <class Before>
class LoserTree {
 public:
  explicit LoserTree(Before before) : before_(std::move(before)) {}

  /// Starts a game of prefixes.size() players, one at least.
  void Build(std::span<const std::uint64_t> prefixes) {
    players_ = static_cast<std::uint32_t>(prefixes.size());
    losers_.resize(players_);
    std::vector<Node> winners(2 * std::size_t{players_});
    for (std::uint32_t i = 0; i < players_; ++i) winners[players_ + i] = {prefixes[i], i};
    for (std::uint32_t i = players_ - 1; i > 0; --i) {
      const Node& left = winners[2 * i];
      const Node& right = winners[2 * i + 1];
      const bool left_wins = Less(left, right);
      winners[i] = left_wins ? left : right;
      losers_[i] = left_wins ? right : left;
    }
    winner_ = winners[1].player;
  }

  std::uint32_t winner() const { return winner_; }

  /// The winner's key has changed to one with `prefix` (or it left the game): plays its games
  /// again. Which side wins is a coin toss, so the swap is a select and not a branch.
  void Replace(std::uint64_t prefix) {
    Node current{prefix, winner_};
    for (std::uint32_t i = (winner_ + players_) / 2; i > 0; i /= 2) {
      const Node other = losers_[i];
      bool other_wins = other.prefix < current.prefix;
      if (other.prefix == current.prefix) [[unlikely]]
        other_wins = before_(other.player, current.player);
      losers_[i].prefix = other_wins ? current.prefix : other.prefix;
      losers_[i].player = other_wins ? current.player : other.player;
      current.prefix = other_wins ? other.prefix : current.prefix;
      current.player = other_wins ? other.player : current.player;
    }
    winner_ = current.player;
  }

 private:
  struct Node {
    std::uint64_t prefix = 0;
    std::uint32_t player = 0;
  };

  bool Less(const Node& a, const Node& b) const {
    return a.prefix != b.prefix ? a.prefix < b.prefix : before_(a.player, b.player);
  }

  Before before_;
  std::vector<Node> losers_;  ///< [1, players_); the parent of node i is i / 2.
  std::uint32_t players_ = 0;
  std::uint32_t winner_ = 0;
};

}  // namespace spillway
