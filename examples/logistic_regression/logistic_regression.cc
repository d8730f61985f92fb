// Logistic regression by gradient descent over all points. Input: lines of numbers parted by
// blanks, the first one the label, 0 or 1. Weights start at 0. Output: lines of a name, TAB and a
// number: "error", the mean squared error that the last round found; "bias"; then the weights by
// their numbers.
//
//   spillway run logistic_regression -i points.txt -o weights -- --rate=0.5
#include <cmath>
#include <numeric>
#include <vector>

#include "../points/point_batch.h"
#include "gradient.h"

using namespace spillway;
using points::kLanes;
using points::PointBatch;

namespace {

struct Options {
  double rate = 0.1;
  double tolerance = 1e-6;  ///< Converged when the gradient is not longer.
};

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
    std::vector<double> sums;  ///< As the kernel has them: kLanes for each number.

    /// The sum of number `index`, over all lanes.
    double Total(std::size_t index) const {
      const double* const lanes = sums.data() + index * kLanes;
      return std::accumulate(lanes, lanes + kLanes, 0.0);
    }
    void Save(LoopWriter& out) const { out.Put(sums); }
    void Load(LoopReader& in) { in.Get(sums); }
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
    into.sums.resize(std::size_t{logistic_regression::NumbersOf(batch.dims())} * kLanes);
    const auto bias = static_cast<float>(state.bias);
    add_gradient_(batch.block(0), batch.labels(0), batch.count(),
                  {state.rounded.data(), bias, batch.dims()}, into.sums.data());
  }

  void Fold(Partial& into, const Partial& from) const {
    into.sums.resize(std::max(into.sums.size(), from.sums.size()));
    for (std::size_t i = 0; i < from.sums.size(); ++i) into.sums[i] += from.sums[i];
  }

  bool Next(State& state, const Partial& total, const LoopRound& round) const {
    const auto points = static_cast<double>(state.points);
    const std::size_t dims = state.weights.size();
    double length = 0;
    const auto step = [&](std::size_t number, double& weight) {
      const double slope = total.Total(number) / points;
      length += slope * slope;
      weight -= options_.rate * slope;
    };
    for (std::size_t d = 0; d < dims; ++d) step(d, state.weights[d]);
    step(dims, state.bias);
    if (!std::isfinite(length))
      throw BadRecord("in round " + std::to_string(round.number()) +
                      " the weights have left single precision; give a smaller --rate");
    state.error = total.Total(dims + 1) / points;
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
  logistic_regression::GradientKernel add_gradient_ = logistic_regression::ChooseGradientKernel();
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
