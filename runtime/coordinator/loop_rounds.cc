#include "runtime/coordinator/loop_rounds.h"

#include <utility>

namespace spillway {

bool LoopRounds::Add(std::uint64_t generation, std::uint32_t round, std::uint32_t part,
                     std::string bytes) {
  if (generation != generation_ || round != this->round() || part >= parts_) return false;
  if (here_count_ == 0) {
    coming_.assign(parts_, {});
    here_.assign(parts_, false);
  }
  if (here_[part]) return false;
  here_[part] = true;
  bytes_ += bytes.size();
  coming_[part] = std::move(bytes);
  if (++here_count_ < parts_) return false;
  here_count_ = 0;
  if (stand_alone_) DropDone();
  done_.push_back(std::exchange(coming_, {}));
  return true;
}

void LoopRounds::DropDone() {
  for (const std::vector<std::string>& round : done_)
    for (const std::string& part : round) bytes_ -= part.size();
  kept_from_ = round();
  done_.clear();
}

}  // namespace spillway
