// The inner loop of logistic regression: what points say about the weights. It is compiled once per
// instruction set and chosen at run time; all give the same bits. Stateless.
#pragma once

#include <cstdint>

namespace logistic_regression {

struct Model {
  const float* weights;
  float bias;
  std::uint32_t dims;
};

/// A number is kLanes sums, one for each place in a block: only the last step adds them up. The
/// numbers are dims slopes, one for each weight, then that of the bias, then the squared error.
inline constexpr std::uint32_t NumbersOf(std::uint32_t dims) { return dims + 2; }

/// Adds what the points in `blocks` (points/point_block.h) contribute to `sums`, which has
/// NumbersOf(dims) numbers; `labels` has one label for each lane. Probabilities are in single
/// precision, and so is what up to kBlocksTogether points in one lane add up to before it is added
/// to the sum.
using GradientKernel = void (*)(const float* blocks, const float* labels, std::uint32_t points,
                                const Model& model, double* sums);

inline constexpr std::uint32_t kBlocksTogether = 8;

/// The fastest kernel that this processor runs.
GradientKernel ChooseGradientKernel();

}  // namespace logistic_regression
