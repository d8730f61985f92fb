// Logistic regression by gradient descent over all points. Input: lines of numbers parted by
// blanks, the first one the label, 0 or 1. Weights start at 0. Output: lines of a name, TAB and a
// number: "error", the mean squared error that the last round found; "bias"; then the weights by
// their numbers.
//
//   spillway run logistic_regression -i points.txt -o weights -- --rate=0.5
#include <cmath>
#include <vector>

#include "../points/point_batch.h"

using namespace spillway;
using points::kLanes;
using points::PointBatch;

namespace {

struct Options {
  double rate = 0.1;
  double tolerance = 1e-6;  ///< Converged when the gradient is not longer.
};

/// For each point of a block the product with the weights, in single precision.
POINTS_VECTOR_CODE void Multiply(const float* block, std::uint32_t dims, const float* weights,
                                 float bias, float* product) {
  float sum[kLanes];
  for (std::uint32_t i = 0; i < kLanes; ++i) sum[i] = bias;
  for (std::uint32_t d = 0; d < dims; ++d) {
    const float* const row = block + std::size_t{d} * kLanes;
    for (std::uint32_t i = 0; i < kLanes; ++i) sum[i] = __builtin_fmaf(row[i], weights[d], sum[i]);
  }
  for (std::uint32_t i = 0; i < kLanes; ++i) product[i] = sum[i];
}

/// 1 / (1 + e^-x), by a polynomial that is the same on every machine; within 2e-7 of it.
POINTS_VECTOR_CODE void Sigmoid(const float* x, float* y) {
  for (std::uint32_t i = 0; i < kLanes; ++i) {
    // e^-x = 2^n * 2^f with f in [-0.5, 0.5].
    float power = x[i] * -1.44269504f;
    power = power > 126.0f ? 126.0f : power;
    power = power < -126.0f ? -126.0f : power;
    const float shifted = power + 12582912.0f;  // The sum's last bits are the nearest integer.
    const float whole = shifted - 12582912.0f;
    const float f = power - whole;
    float e = 1.33335581e-3f;
    e = __builtin_fmaf(e, f, 9.61812910e-3f);
    e = __builtin_fmaf(e, f, 5.55041086e-2f);
    e = __builtin_fmaf(e, f, 2.40226507e-1f);
    e = __builtin_fmaf(e, f, 6.93147181e-1f);
    e = __builtin_fmaf(e, f, 1.0f);
    const std::int32_t exponent = (static_cast<std::int32_t>(whole) + 127) << 23;
    float scale = 0;
    std::memcpy(&scale, &exponent, sizeof scale);
    y[i] = 1.0f / __builtin_fmaf(e, scale, 1.0f);
  }
}

/// Adds residual times coordinate to `gradient`, which has kLanes sums for each coordinate.
POINTS_VECTOR_CODE void AddGradient(const float* block, std::uint32_t dims, const float* residual,
                                    double* gradient) {
  for (std::uint32_t d = 0; d < dims; ++d) {
    const float* const row = block + std::size_t{d} * kLanes;
    double* const sums = gradient + std::size_t{d} * kLanes;
    for (std::uint32_t i = 0; i < kLanes; ++i) sums[i] += static_cast<double>(residual[i] * row[i]);
  }
}

class LogisticRegression {
 public:
  using Input = TextLines;
  using Batch = PointBatch;
  using Start = points::Extent;

  struct State {
    std::uint64_t points = 0;
    double error = 0;
    double bias = 0;
    std::vector<double> weights;
    std::vector<float> rounded;

    void Round() { rounded.assign(weights.begin(), weights.end()); }
    void Save(LoopWriter& out) const {
      out.Put(points);
      out.Put(error);
      out.Put(bias);
      out.Put(weights);
    }
    void Load(LoopReader& in) {
      in.Get(points);
      in.Get(error);
      in.Get(bias);
      in.Get(weights);
      Round();
    }
  };

  struct Partial {
    double error = 0;
    double bias = 0;
    std::vector<double> gradient;  ///< kLanes sums for each weight.

    void Save(LoopWriter& out) const {
      out.Put(error);
      out.Put(bias);
      out.Put(gradient);
    }
    void Load(LoopReader& in) {
      in.Get(error);
      in.Get(bias);
      in.Get(gradient);
    }
  };

  explicit LogisticRegression(const Options& options) : options_(options) {}

  void Parse(const Line& line, Batch& batch) const {
    batch.Add(line, true);
    const std::uint32_t last = batch.count() - 1;
    const float label = batch.labels(last / kLanes)[last % kLanes];
    if (label != 0.0f && label != 1.0f) throw BadRecord("a label is 0 or 1");
  }

  void Gather(const Batch& batch, Start& start) const { start.Add(batch); }
  void Join(Start& into, const Start& from) const { into.Add(from); }

  void First(const Start& all, State& state) const {
    if (all.points == 0) throw BadRecord("the input has no points");
    state.points = all.points;
    state.weights.assign(all.dims, 0.0);
    state.Round();
  }

  void Map(const Batch& batch, const State& state, Partial& into) const {
    const std::uint32_t dims = batch.dims();
    into.gradient.resize(std::size_t{dims} * kLanes);
    float product[kLanes];
    float probability[kLanes];
    float residual[kLanes];
    for (std::uint32_t b = 0; b < batch.blocks(); ++b) {
      const float* const block = batch.block(b);
      const float* const label = batch.labels(b);
      Multiply(block, dims, state.rounded.data(), static_cast<float>(state.bias), product);
      Sigmoid(product, probability);
      const std::uint32_t points = std::min(kLanes, batch.count() - b * kLanes);
      for (std::uint32_t i = 0; i < kLanes; ++i)
        residual[i] = i < points ? probability[i] - label[i] : 0.0f;
      AddGradient(block, dims, residual, into.gradient.data());
      for (std::uint32_t i = 0; i < points; ++i) {
        into.bias += static_cast<double>(residual[i]);
        into.error += static_cast<double>(residual[i]) * static_cast<double>(residual[i]);
      }
    }
  }

  void Fold(Partial& into, const Partial& from) const {
    into.gradient.resize(std::max(into.gradient.size(), from.gradient.size()));
    for (std::size_t i = 0; i < from.gradient.size(); ++i) into.gradient[i] += from.gradient[i];
    into.bias += from.bias;
    into.error += from.error;
  }

  bool Next(State& state, const Partial& total, const LoopRound&) const {
    const auto points = static_cast<double>(state.points);
    const double bias = total.bias / points;
    double length = bias * bias;
    state.bias -= options_.rate * bias;
    for (std::size_t d = 0; d < state.weights.size(); ++d) {
      double sum = 0;
      for (std::uint32_t i = 0; i < kLanes; ++i) sum += total.gradient[d * kLanes + i];
      const double slope = sum / points;
      length += slope * slope;
      state.weights[d] -= options_.rate * slope;
    }
    state.error = total.error / points;
    state.Round();
    return length <= options_.tolerance * options_.tolerance;
  }

  void Print(const State& state, OutputBuffer& out) const {
    out.Append("error\t");
    out.AppendNumber(state.error);
    out.Append("\nbias\t");
    out.AppendNumber(state.bias);
    out.Append('\n');
    for (std::size_t d = 0; d < state.weights.size(); ++d)
      out.Append(std::uint64_t{d}, '\t', state.weights[d], '\n');
  }

 private:
  Options options_;
};

}  // namespace

SPILLWAY_PLUGIN("logistic_regression", "fits the weights of a logistic model",
                "[--rate=R] [--tolerance=T]") {
  Options options;
  if (Status status = points::ReadOption(args, "rate", &options.rate); !status.ok()) return status;
  if (Status status = points::ReadOption(args, "tolerance", &options.tolerance); !status.ok())
    return status;
  for (std::size_t i = 0; i < args.size(); ++i)
    if (!args[i].starts_with("--rate=") && !args[i].starts_with("--tolerance="))
      return InvalidArgument("what is '" + std::string(args[i]) + "'?");
  return NewLoop(LogisticRegression(options)).Rounds(50);
}
