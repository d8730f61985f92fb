// SplitMix64 (Steele, Lea, Flood 2014): random numbers from one word of state, for samples and
// made-up data. The same seed gives the same numbers everywhere; the standard's distributions
// differ from library to library. A value; not for secrets.
#pragma once

#include <cstdint>

namespace spillway {

class SplitMix64 {
 public:
  explicit SplitMix64(std::uint64_t seed) : state_(seed) {}

  std::uint64_t Next() {
    std::uint64_t bits = state_ += 0x9e37'79b9'7f4a'7c15u;
    bits = (bits ^ bits >> 30) * 0xbf58'476d'1ce4'e5b9u;
    bits = (bits ^ bits >> 27) * 0x94d0'49bb'1331'11ebu;
    return bits ^ bits >> 31;
  }

 private:
  std::uint64_t state_;
};

}  // namespace spillway
