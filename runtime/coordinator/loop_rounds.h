// LoopRounds: the rounds of one loop in memory mode, as the coordinator sees them: which parts of
// the round in progress are there, and what all parts of the rounds before have left. Who has these
// can make every state of the loop, so whoever comes late is told all of them. Where rounds stand
// alone, the newest one is enough, and no other is kept. Pure; owned by the machine.
//
// A generation is one run of the rounds from 0 on. A coordinator that takes over knows no rounds,
// and begins another generation.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace spillway {

class LoopRounds {
 public:
  LoopRounds(std::uint64_t generation, std::uint32_t parts, bool stand_alone = false)
      : generation_(generation), parts_(parts), stand_alone_(stand_alone) {}

  std::uint64_t generation() const { return generation_; }
  /// The round in progress.
  std::uint32_t round() const { return kept_from_ + static_cast<std::uint32_t>(done_.size()); }
  /// The first round that is kept; the one in progress when none is.
  std::uint32_t kept_from() const { return kept_from_; }
  /// By part; of a round that is done and kept.
  const std::vector<std::string>& Done(std::uint32_t round) const {
    return done_[round - kept_from_];
  }
  /// Of all rounds that are kept, and of the one in progress.
  std::uint64_t bytes() const { return bytes_; }

  /// What a part leaves for the fold of a round. The first one counts; what is not of the round in
  /// progress counts for nothing. True when the round is done by it.
  bool Add(std::uint64_t generation, std::uint32_t round, std::uint32_t part, std::string bytes);

 private:
  void DropDone();

  const std::uint64_t generation_;
  const std::uint32_t parts_;
  const bool stand_alone_;
  std::uint32_t kept_from_ = 0;
  std::vector<std::vector<std::string>> done_;  ///< From kept_from_ on.
  std::vector<std::string> coming_;             ///< By part; empty while none has come.
  std::vector<bool> here_;
  std::uint32_t here_count_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace spillway
