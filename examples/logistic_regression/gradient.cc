// What makes this fast:
//
// - A vector holds one coordinate of several points, so nothing is added up across a vector.
// - Blocks are taken eight at a time: first their residuals are computed, then, while the blocks
//   are in the first cache, each coordinate times residual is added up over all eight in a
//   register. So the sums in double precision are touched once for 128 points.
//
// What keeps the bits the same on all processors: the operations on one lane and their order do not
// depend on the width, and fused multiplications are written as such; the compiler must fuse
// nothing by itself (-ffp-contract=off).
#include "gradient.h"

#include <algorithm>
#include <cmath>

#include "../points/point_block.h"

// Processors without fused multiplications get a loop over std::fma. Vectors whose width is known
// at run time only cannot be kept in arrays.
#define HWY_DISABLED_TARGETS \
  (HWY_SSSE3 | HWY_SSE4 | HWY_AVX3_DL | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "logistic_regression/gradient.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace logistic_regression::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

using points::kLanes;
using Floats = hn::CappedTag<float, kLanes>;
using Vector = hn::Vec<Floats>;

constexpr std::uint32_t kWidth = hn::MaxLanes(Floats());

// The residuals of up to kBlocksTogether blocks.
using Residuals = float[kBlocksTogether][kLanes];

HWY_ATTR HWY_INLINE Vector Same(float value) { return hn::Set(Floats(), value); }
HWY_ATTR HWY_INLINE Vector Load(const float* from) { return hn::LoadU(Floats(), from); }

// a * b + c, rounded once.
HWY_ATTR HWY_INLINE Vector Fused(Vector a, Vector b, Vector c) {
#if HWY_TARGET == HWY_EMU128 || HWY_TARGET == HWY_SCALAR
  float x[kWidth], y[kWidth], z[kWidth];
  hn::StoreU(a, Floats(), x);
  hn::StoreU(b, Floats(), y);
  hn::StoreU(c, Floats(), z);
  for (std::uint32_t i = 0; i < kWidth; ++i) z[i] = std::fma(x[i], y[i], z[i]);
  return Load(z);
#else
  return hn::MulAdd(a, b, c);
#endif
}

// 1 / (1 + e^-x), within 1.5e-7 of it. The polynomial is the best one of its degree for 2^f.
HWY_ATTR HWY_INLINE Vector Sigmoid(Vector x) {
  // e^-x = 2^n * 2^f with f in [-0.5, 0.5].
  constexpr float kPowerMax = 126;
  constexpr float kShift = 12582912;  // 1.5 * 2^23: the last bits of the sum are the nearest n.
  constexpr std::uint32_t kExponentBias = 127;
  constexpr int kMantissaBits = 23;
  Vector power = hn::Mul(x, Same(-1.44269504f));
  power = hn::IfThenElse(hn::Gt(power, Same(kPowerMax)), Same(kPowerMax), power);
  power = hn::IfThenElse(hn::Lt(power, Same(-kPowerMax)), Same(-kPowerMax), power);
  const Vector shifted = hn::Add(power, Same(kShift));
  const Vector f = hn::Sub(power, hn::Sub(shifted, Same(kShift)));
  Vector e = Same(1.3276472e-3f);
  for (const float factor : {9.6755413e-3f, 5.5507133e-2f, 2.4022120e-1f, 6.9314697e-1f, 1.0f})
    e = Fused(e, f, Same(factor));
  const hn::RebindToUnsigned<Floats> bits;
  const auto exponent = hn::Add(hn::BitCast(bits, shifted), hn::Set(bits, kExponentBias));
  const Vector scale = hn::BitCast(Floats(), hn::ShiftLeft<kMantissaBits>(exponent));
  return hn::Div(Same(1), Fused(e, scale, Same(1)));
}

// Probability less label for each lane of a block; 0 behind its last point.
HWY_ATTR HWY_INLINE void FindResiduals(const float* block, const float* labels,
                                       std::uint32_t points, const Model& model,
                                       float (&residuals)[kLanes]) {
  for (std::uint32_t at = 0; at < kLanes; at += kWidth) {
    Vector product = Same(model.bias);
    for (std::uint32_t d = 0; d < model.dims; ++d)
      product = Fused(Load(block + d * kLanes + at), Same(model.weights[d]), product);
    hn::StoreU(hn::Sub(Sigmoid(product), Load(labels + at)), Floats(), residuals + at);
  }
  for (std::uint32_t i = points; i < kLanes; ++i) residuals[i] = 0;
}

HWY_ATTR HWY_INLINE void AddTo(Vector value, double* sums) {
  const hn::CappedTag<double, kWidth> wide;
  const hn::Rebind<float, decltype(wide)> narrow;
  alignas(64) float numbers[kWidth];
  hn::Store(value, Floats(), numbers);
  for (std::uint32_t i = 0; i < kWidth; i += hn::MaxLanes(wide)) {
    const auto more = hn::PromoteTo(wide, hn::Load(narrow, numbers + i));
    hn::StoreU(hn::Add(hn::LoadU(wide, sums + i), more), wide, sums + i);
  }
}

HWY_ATTR HWY_INLINE void AddSlopes(const float* blocks, std::uint32_t count, std::uint32_t dims,
                                   const Residuals& residuals, double* sums) {
  const std::size_t block_numbers = std::size_t{dims} * kLanes;
  for (std::uint32_t at = 0; at < kLanes; at += kWidth) {
    Vector bias = Same(0);
    Vector error = Same(0);
    for (std::uint32_t b = 0; b < count; ++b) {
      const Vector residual = Load(residuals[b] + at);
      bias = hn::Add(bias, residual);
      error = Fused(residual, residual, error);
    }
    AddTo(bias, sums + block_numbers + at);
    AddTo(error, sums + block_numbers + kLanes + at);
  }
  for (std::size_t at = 0; at < block_numbers; at += kWidth) {
    Vector slope = Same(0);
    for (std::uint32_t b = 0; b < count; ++b)
      slope = Fused(Load(residuals[b] + at % kLanes), Load(blocks + b * block_numbers + at), slope);
    AddTo(slope, sums + at);
  }
}

HWY_ATTR void AddGradient(const float* blocks, const float* labels, std::uint32_t points,
                          const Model& model, double* sums) {
  alignas(64) Residuals residuals;
  for (std::uint32_t done = 0; done < points; done += kBlocksTogether * kLanes) {
    const float* const together = blocks + std::size_t{done} * model.dims;
    const std::uint32_t count = std::min(kBlocksTogether, points::BlocksOf(points - done));
    for (std::uint32_t b = 0; b < count; ++b) {
      const std::uint32_t first = done + b * kLanes;
      FindResiduals(blocks + std::size_t{first} * model.dims, labels + first,
                    std::min(kLanes, points - first), model, residuals[b]);
    }
    AddSlopes(together, count, model.dims, residuals, sums);
  }
}

GradientKernel Kernel() { return &AddGradient; }

}  // namespace
}  // namespace logistic_regression::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace logistic_regression {

HWY_EXPORT(Kernel);

GradientKernel ChooseGradientKernel() { return HWY_DYNAMIC_DISPATCH(Kernel)(); }

}  // namespace logistic_regression
#endif  // HWY_ONCE
