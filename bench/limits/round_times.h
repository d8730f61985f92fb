// RoundTimes: how long an iterative program took to parse and for each round, printed as one JSON
// object of the form that `spillway run --json` has. One thread.
#pragma once

#include <chrono>
#include <cstdio>
#include <vector>

namespace spillway::limits {

class RoundTimes {
 public:
  void EndParse() { parse_seconds_ = Lap(); }
  void EndRound() { rounds_.push_back(Lap()); }

  void Print() const {
    std::printf("{\"parse_seconds\": %.6f, \"iteration_seconds\": [", parse_seconds_);
    for (std::size_t i = 0; i < rounds_.size(); ++i)
      std::printf("%s%.6f", i == 0 ? "" : ", ", rounds_[i]);
    std::printf("]}\n");
    std::fflush(stdout);
  }

 private:
  using Clock = std::chrono::steady_clock;

  double Lap() {
    const auto now = Clock::now();
    const std::chrono::duration<double> passed = now - last_;
    last_ = now;
    return passed.count();
  }

  Clock::time_point last_ = Clock::now();
  double parse_seconds_ = 0;
  std::vector<double> rounds_;
};

}  // namespace spillway::limits
