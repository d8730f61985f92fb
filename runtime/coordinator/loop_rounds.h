// LoopRounds: the rounds of one loop in memory mode, as the coordinator sees them: which parts of
// the round in progress are there, and what all parts of the rounds before have left. Who has these
// can make every state of the loop, so whoever comes late is told all of them. Where rounds stand
// alone, the newest one is enough, and no other is kept; behind a checkpoint, which is a state that
// lies elsewhere, those before it go. Pure; owned by the machine.
//
// A generation is one run of the rounds, from 0 or from a checkpoint on. A coordinator that takes
// over knows no rounds, and begins another generation.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

namespace spillway {

class LoopRounds {
 public:
  struct Options {
    std::uint64_t generation = 0;
    std::uint32_t parts = 0;
    bool stand_alone = false;
    std::uint32_t first_round = 0;  ///< Of a checkpoint; 0: none.
  };
  explicit LoopRounds(const Options& options)
      : options_(options), kept_from_(options.first_round) {}

  std::uint64_t generation() const { return options_.generation; }
  /// The round in progress.
  std::uint32_t round() const { return kept_from_ + static_cast<std::uint32_t>(done_.size()); }
  /// The first round that is kept; the one in progress when none is.
  std::uint32_t kept_from() const { return kept_from_; }
  /// By part; of a round that is done and kept.
  const std::vector<std::string>& Done(std::uint32_t round) const {
    return done_[round - kept_from_];
  }
  /// Whether the part is there of the round in progress.
  bool IsHere(std::uint32_t part) const { return here_count_ > 0 && here_[part]; }
  /// Whether what is kept says nothing without the state of round kept_from().
  bool NeedsState() const { return kept_from_ > 0 && !(options_.stand_alone && !done_.empty()); }
  /// Of all rounds that are kept, and of the one in progress.
  std::uint64_t bytes() const { return bytes_; }

  /// What a part leaves for the fold of a round. The first one counts; what is not of the round in
  /// progress counts for nothing. True when the round is done by it.
  bool Add(std::uint64_t generation, std::uint32_t round, std::uint32_t part, std::string bytes);

  /// Forgets the rounds before it: its state is kept elsewhere.
  void DropBefore(std::uint32_t round);

 private:
  const Options options_;
  std::uint32_t kept_from_ = 0;
  std::deque<std::vector<std::string>> done_;  ///< From kept_from_ on.
  std::vector<std::string> coming_;            ///< By part; empty while none has come.
  std::vector<bool> here_;
  std::uint32_t here_count_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace spillway
