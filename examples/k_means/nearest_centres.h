// The inner loop of k-means: finds each point's nearest centre and adds the point up there. It is
// compiled once per instruction set and chosen at run time; all give the same bits. Stateless.
#pragma once

#include <cstdint>

namespace k_means {

/// Centres, row after row: count x dims numbers.
struct Centres {
  const float* rows;
  std::uint32_t count;
  std::uint32_t dims;
};

/// What has been added to each centre.
struct CentreSums {
  double* rows;  ///< As those of Centres.
  std::uint64_t* points;
};

/// Adds each of the points in `blocks` (points/point_block.h) to the sums of the centre that is
/// nearest to it; of several the first. A point whose distances are no numbers, or infinite, goes
/// to the first centre. Distances are in single precision. Each number of `sums` is added to in
/// the order of the points.
using NearestKernel = void (*)(const float* blocks, std::uint32_t points, const Centres& centres,
                               const CentreSums& sums);

/// The fastest kernel that this processor runs.
NearestKernel ChooseNearestKernel();

}  // namespace k_means
