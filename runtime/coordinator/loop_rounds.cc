#include "runtime/coordinator/loop_rounds.h"

#include <utility>

namespace spillway {

bool LoopRounds::Add(std::uint64_t generation, std::uint32_t round, std::uint32_t part,
                     std::string bytes) {
  if (generation != options_.generation || round != this->round() || part >= options_.parts)
    return false;
  if (here_count_ == 0) {
    coming_.assign(options_.parts, {});
    here_.assign(options_.parts, false);
  }
  if (here_[part]) return false;
  here_[part] = true;
  bytes_ += bytes.size();
  coming_[part] = std::move(bytes);
  if (++here_count_ < options_.parts) return false;
  here_count_ = 0;
  if (options_.stand_alone) DropBefore(this->round());
  done_.push_back(std::exchange(coming_, {}));
  return true;
}

void LoopRounds::DropBefore(std::uint32_t round) {
  for (; kept_from_ < round && !done_.empty(); ++kept_from_) {
    for (const std::string& part : done_.front()) bytes_ -= part.size();
    done_.pop_front();
  }
}

}  // namespace spillway
