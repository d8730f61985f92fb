// The system's clock, for what must be understood outside this process. It may jump; what is
// measured is measured by a steady clock. Any thread.
#pragma once

#include <chrono>
#include <cstdint>

namespace spillway {

inline std::uint64_t SystemUnixMs() {
  using namespace std::chrono;
  return static_cast<std::uint64_t>(
      duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count());
}

}  // namespace spillway
