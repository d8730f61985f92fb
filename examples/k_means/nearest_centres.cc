// What makes this fast:
//
// - A vector holds one coordinate of several points, so distances need no sums across a vector.
// - Several centres are compared at once: each row of a block is loaded once for all of them, and
//   their sums do not wait for each other.
// - To be added to its centre, a point must stand as a row again. Two interleavings turn four rows
//   of a block into sixteen rows of four coordinates, within 128 bits, as every processor can.
//
// What keeps the bits the same on all processors: the operations on one lane and their order do not
// depend on the width, and fused multiplications are written as such; the compiler must fuse
// nothing by itself (-ffp-contract=off).
#include "nearest_centres.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

#include "../points/point_block.h"

// Processors without fused multiplications get a loop over std::fma. Vectors whose width is known
// at run time only cannot be kept in arrays.
#define HWY_DISABLED_TARGETS \
  (HWY_SSSE3 | HWY_SSE4 | HWY_AVX3_DL | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "k_means/nearest_centres.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace k_means::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

using points::kLanes;
using Floats = hn::CappedTag<float, kLanes>;
using Numbers = hn::RebindToSigned<Floats>;
using Vector = hn::Vec<Floats>;

constexpr std::uint32_t kWidth = hn::MaxLanes(Floats());
constexpr std::uint32_t kVectors = kLanes / kWidth;  // In each row of a block.
constexpr std::uint32_t kFour = 4;                   // Coordinates that are turned together.

// For each point of a block the number of its nearest centre.
using Nearest = std::int32_t[kLanes];
// Four rows of a block, turned: the coordinates of point i begin at [i % 4][i / 4 * 4].
using Turned = float[kFour][kLanes];

// a * b + c, rounded once.
HWY_ATTR HWY_INLINE Vector Fused(Vector a, Vector b, Vector c) {
#if HWY_TARGET == HWY_EMU128 || HWY_TARGET == HWY_SCALAR
  float x[kWidth], y[kWidth], z[kWidth];
  hn::StoreU(a, Floats(), x);
  hn::StoreU(b, Floats(), y);
  hn::StoreU(c, Floats(), z);
  for (std::uint32_t i = 0; i < kWidth; ++i) z[i] = std::fma(x[i], y[i], z[i]);
  return hn::LoadU(Floats(), z);
#else
  return hn::MulAdd(a, b, c);
#endif
}

// The nearest of the centres that a block was compared with.
struct Best {
  Vector distance[kVectors];
  hn::Vec<Numbers> centre[kVectors];
};

// Compares a block with kTogether centres, from `first` on.
template <std::uint32_t kTogether>
HWY_ATTR HWY_INLINE void Compare(const float* block, const Centres& centres, std::uint32_t first,
                                 Best& best) {
  const float* const rows = centres.rows + std::size_t{first} * centres.dims;
  Vector distance[kTogether][kVectors];
  for (auto& of_centre : distance)
    for (Vector& vector : of_centre) vector = hn::Zero(Floats());
  for (std::uint32_t d = 0; d < centres.dims; ++d) {
    for (std::uint32_t v = 0; v < kVectors; ++v) {
      const Vector row = hn::LoadU(Floats(), block + d * kLanes + v * kWidth);
      for (std::uint32_t c = 0; c < kTogether; ++c) {
        const Vector apart = hn::Sub(row, hn::Set(Floats(), rows[c * centres.dims + d]));
        distance[c][v] = Fused(apart, apart, distance[c][v]);
      }
    }
  }
  for (std::uint32_t c = 0; c < kTogether; ++c) {
    const auto number = hn::Set(Numbers(), static_cast<std::int32_t>(first + c));
    for (std::uint32_t v = 0; v < kVectors; ++v) {
      const auto nearer = hn::Lt(distance[c][v], best.distance[v]);
      best.distance[v] = hn::IfThenElse(nearer, distance[c][v], best.distance[v]);
      best.centre[v] = hn::IfThenElse(hn::RebindMask(Numbers(), nearer), number, best.centre[v]);
    }
  }
}

HWY_ATTR HWY_INLINE void FindNearest(const float* block, const Centres& centres, Nearest& nearest) {
  constexpr std::uint32_t kTogether = 4;
  Best best;
  for (std::uint32_t v = 0; v < kVectors; ++v) {
    best.distance[v] = hn::Set(Floats(), std::numeric_limits<float>::infinity());
    best.centre[v] = hn::Zero(Numbers());
  }
  if (centres.count < kTogether) {
    for (std::uint32_t c = 0; c < centres.count; ++c) Compare<1>(block, centres, c, best);
  } else {
    // The last four may have been compared before, which changes nothing.
    for (std::uint32_t c = 0; c < centres.count; c += kTogether)
      Compare<kTogether>(block, centres, std::min(c, centres.count - kTogether), best);
  }
  for (std::uint32_t v = 0; v < kVectors; ++v)
    hn::StoreU(best.centre[v], Numbers(), nearest + v * kWidth);
}

HWY_ATTR HWY_INLINE void TurnFour(const float* rows, Turned& turned) {
  for (std::uint32_t i = 0; i < kLanes; i += kWidth) {
#if HWY_TARGET == HWY_SCALAR
    for (std::uint32_t row = 0; row < kFour; ++row)
      turned[i % kFour][i / kFour * kFour + row] = rows[row * kLanes + i];
#else
    const hn::Repartition<double, Floats> pairs;  // Of floats that move together.
    const Vector a = hn::LoadU(Floats(), rows + i);
    const Vector b = hn::LoadU(Floats(), rows + kLanes + i);
    const Vector c = hn::LoadU(Floats(), rows + 2 * kLanes + i);
    const Vector d = hn::LoadU(Floats(), rows + 3 * kLanes + i);
    const auto ab_01 = hn::BitCast(pairs, hn::InterleaveLower(Floats(), a, b));
    const auto cd_01 = hn::BitCast(pairs, hn::InterleaveLower(Floats(), c, d));
    const auto ab_23 = hn::BitCast(pairs, hn::InterleaveUpper(Floats(), a, b));
    const auto cd_23 = hn::BitCast(pairs, hn::InterleaveUpper(Floats(), c, d));
    const auto point_0 = hn::BitCast(Floats(), hn::InterleaveLower(pairs, ab_01, cd_01));
    const auto point_1 = hn::BitCast(Floats(), hn::InterleaveUpper(pairs, ab_01, cd_01));
    const auto point_2 = hn::BitCast(Floats(), hn::InterleaveLower(pairs, ab_23, cd_23));
    const auto point_3 = hn::BitCast(Floats(), hn::InterleaveUpper(pairs, ab_23, cd_23));
    hn::StoreU(point_0, Floats(), turned[0] + i);
    hn::StoreU(point_1, Floats(), turned[1] + i);
    hn::StoreU(point_2, Floats(), turned[2] + i);
    hn::StoreU(point_3, Floats(), turned[3] + i);
#endif
  }
}

// Adds 4 x kFours coordinates of a block's points to the sums of their centres, from the given
// coordinate on.
template <std::uint32_t kFours>
HWY_ATTR HWY_INLINE void AddRows(const float* block, std::uint32_t points, std::uint32_t dims,
                                 std::uint32_t from, const Nearest& nearest, double* sums) {
  const hn::CappedTag<double, kFour> wide;
  const hn::Rebind<float, decltype(wide)> narrow;
  alignas(64) Turned turned[kFours];
  for (std::uint32_t f = 0; f < kFours; ++f)
    TurnFour(block + (from + f * kFour) * kLanes, turned[f]);
  for (std::uint32_t i = 0; i < points; ++i) {
    double* const row = sums + static_cast<std::size_t>(nearest[i]) * dims + from;
    for (std::uint32_t f = 0; f < kFours; ++f) {
      const float* const four = turned[f][i % kFour] + i / kFour * kFour;
      for (std::uint32_t j = 0; j < kFour; j += hn::MaxLanes(wide)) {
        double* const to = row + f * kFour + j;
        const auto more = hn::PromoteTo(wide, hn::LoadU(narrow, four + j));
        hn::StoreU(hn::Add(hn::LoadU(wide, to), more), wide, to);
      }
    }
  }
}

HWY_ATTR HWY_INLINE void AddBlock(const float* block, std::uint32_t points, std::uint32_t dims,
                                  const Nearest& nearest, const CentreSums& sums) {
  for (std::uint32_t i = 0; i < points; ++i) ++sums.points[nearest[i]];
  std::uint32_t d = 0;
  for (; d + 4 * kFour <= dims; d += 4 * kFour)
    AddRows<4>(block, points, dims, d, nearest, sums.rows);
  for (; d + kFour <= dims; d += kFour) AddRows<1>(block, points, dims, d, nearest, sums.rows);
  for (; d < dims; ++d)
    for (std::uint32_t i = 0; i < points; ++i)
      sums.rows[static_cast<std::size_t>(nearest[i]) * dims + d] +=
          static_cast<double>(block[d * kLanes + i]);
}

HWY_ATTR void AddToNearest(const float* blocks, std::uint32_t points, const Centres& centres,
                           const CentreSums& sums) {
  Nearest nearest;
  for (std::uint32_t first = 0; first < points; first += kLanes) {
    const float* const block = blocks + std::size_t{first} * centres.dims;
    FindNearest(block, centres, nearest);
    AddBlock(block, std::min(kLanes, points - first), centres.dims, nearest, sums);
  }
}

NearestKernel Kernel() { return &AddToNearest; }

}  // namespace
}  // namespace k_means::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace k_means {

HWY_EXPORT(Kernel);

NearestKernel ChooseNearestKernel() { return HWY_DYNAMIC_DISPATCH(Kernel)(); }

}  // namespace k_means
#endif  // HWY_ONCE
