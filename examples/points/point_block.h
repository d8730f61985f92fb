// A block is 16 points, coordinate by coordinate: all first coordinates stand side by side, then
// all second ones, so that one vector operation goes over several points.
//
//             point 0   point 1   ...   point 15
//   coord. 0   [0]       [1]             [15]
//   coord. 1   [16]      [17]            [31]
//   ...
//
// Blocks of the same points lie one behind the other. Lanes behind the last point are zero.
#pragma once

#include <cstdint>

namespace points {

inline constexpr std::uint32_t kLanes = 16;

inline constexpr std::uint32_t BlocksOf(std::uint32_t points) {
  return (points + kLanes - 1) / kLanes;
}

}  // namespace points
