// The limit for logistic regression by gradient descent over all points.
//
//   logistic_regression [--threads N] POINTS RATE ROUNDS OUT
//
// POINTS has lines `label number number ...` with labels 0 and 1. Weights begin at 0, the first one
// is the bias; OUT gets the last ones in one line. Prints the seconds of parsing and of each round
// as JSON.
//
// The trick: a vector holds one coordinate of 16 points, and eight blocks at a time go through the
// first cache twice, once for residuals, once for the gradient, which is added up over all eight in
// registers; so a round reads memory once. Single precision, sums of eight blocks in double. Sums
// have one association for any number of threads: those of kPieceBlocks blocks, added in order.
#include <algorithm>
#include <atomic>
#include <charconv>
#include <cstring>

#include "bench/limits/command_line.h"
#include "bench/limits/files.h"
#include "bench/limits/number_text.h"
#include "bench/limits/parallel.h"
#include "bench/limits/points.h"
#include "bench/limits/round_times.h"

namespace spillway::limits {
namespace {

constexpr const char* kUsage = "usage: logistic_regression [--threads N] POINTS RATE ROUNDS OUT";
constexpr std::size_t kPieceBlocks = 1024;
constexpr std::size_t kTogether = 8;  // Blocks.
constexpr std::size_t kRoundsMax = 100'000;

using LaneBits = std::uint32_t __attribute__((vector_size(kLanes * sizeof(float))));
using WideLanes = double __attribute__((vector_size(kLanes * sizeof(double)), aligned(8)));

/// Sums of 16 lanes for each coordinate; before them, those of the bias.
using Gradient = std::vector<double>;

/// 1 / (1 + e^-x), with 2^f by the best polynomial of degree 5.
Lanes Sigmoid(Lanes x) {
  constexpr float kShift = 12582912;  // The last bits of a sum with it are the nearest integer.
  Lanes power = x * -1.44269504f;
  power = power > 126.0f ? Lanes{} + 126.0f : power;
  power = power < -126.0f ? Lanes{} - 126.0f : power;
  const Lanes shifted = power + kShift;
  const Lanes f = power - (shifted - kShift);
  const Lanes e =
      ((((1.3276472e-3f * f + 9.6755413e-3f) * f + 5.5507133e-2f) * f + 2.4022120e-1f) * f +
       6.9314697e-1f) *
          f +
      1.0f;
  const Lanes scale = reinterpret_cast<Lanes>((reinterpret_cast<LaneBits>(shifted) + 127) << 23);
  return 1.0f / (1.0f + e * scale);
}

void AddTo(Lanes value, double* sums) {
  WideLanes wide;
  std::memcpy(&wide, sums, sizeof wide);
  wide += __builtin_convertvector(value, WideLanes);
  std::memcpy(sums, &wide, sizeof wide);
}

/// gradient += (sigmoid(w.x) - label) * (1, x) for the points of blocks [begin, begin + count).
[[gnu::always_inline]] inline void AddTogether(const Points& points, std::size_t dimensions,
                                               const std::vector<float>& weights, std::size_t begin,
                                               std::size_t count, double* gradient) {
  Lanes residuals[kTogether];
  Lanes all = {};
  for (std::size_t b = 0; b < count; ++b) {
    const Lanes* const block = points.block(begin + b);
    Lanes product = Lanes{} + weights[0];
    for (std::size_t d = 0; d < dimensions; ++d) product += weights[d + 1] * block[d];
    residuals[b] = Sigmoid(product) - points.labels(begin + b);
    for (std::size_t i = points.count() - (begin + b) * kLanes; i < kLanes; ++i)
      residuals[b][i] = 0;
    all += residuals[b];
  }
  AddTo(all, gradient);
  for (std::size_t d = 0; d < dimensions; ++d) {
    Lanes sum = {};
    for (std::size_t b = 0; b < count; ++b)
      sum += residuals[b] * points.block(begin)[b * dimensions + d];
    AddTo(sum, gradient + (d + 1) * kLanes);
  }
}

void AddBlocks(const Points& points, const std::vector<float>& weights, std::size_t begin,
               std::size_t end, Gradient& gradient) {
  gradient.assign(weights.size() * kLanes, 0);
  for (std::size_t b = begin; b < end; b += kTogether) {
    const std::size_t count = std::min(kTogether, end - b);
    // What is measured has a shape that is known when this is compiled.
    if (points.dimensions() == 16 && count == kTogether)
      AddTogether(points, 16, weights, b, kTogether, gradient.data());
    else
      AddTogether(points, points.dimensions(), weights, b, count, gradient.data());
  }
}

double RateOf(const std::string& operand) {
  double rate = 0;
  const char* const end = operand.data() + operand.size();
  const auto [behind, error] = std::from_chars(operand.data(), end, rate);
  return error == std::errc() && behind == end && rate > 0 ? rate : 0;
}

void Run(const CommandLine& line) {
  const double rate = RateOf(line.operands[1]);
  const std::size_t rounds = CountOf(line.operands[2], kRoundsMax);
  if (rate == 0 || rounds == 0) Fail(kExitUsage, kUsage);
  RoundTimes times;
  const Points points = Points::Parse(line.operands[0], line.threads);
  if (points.count() == 0) Fail(kExitUsage, "there are no points");
  times.EndParse();

  std::vector<double> weights(points.dimensions() + 1, 0);
  std::vector<float> rounded(weights.size(), 0);
  const std::size_t pieces = (points.blocks() + kPieceBlocks - 1) / kPieceBlocks;
  std::vector<Gradient> gradients(pieces);
  for (std::size_t round = 0; round < rounds; ++round) {
    std::atomic<std::size_t> next = 0;
    RunThreads(line.threads, [&](unsigned) {
      for (std::size_t i; (i = next.fetch_add(1)) < pieces;)
        AddBlocks(points, rounded, i * kPieceBlocks,
                  std::min(points.blocks(), (i + 1) * kPieceBlocks), gradients[i]);
    });
    for (std::size_t j = 0; j < weights.size(); ++j) {
      double sum = 0;
      for (const Gradient& gradient : gradients)
        for (std::size_t i = 0; i < kLanes; ++i) sum += gradient[j * kLanes + i];
      weights[j] -= rate * sum / static_cast<double>(points.count());
    }
    rounded.assign(weights.begin(), weights.end());
    times.EndRound();
  }
  std::string text;
  AppendRow(weights.data(), weights.size(), ' ', text);
  OutputFile(line.operands[3]).WriteAt(0, text + "\n");
  times.Print();
}

}  // namespace
}  // namespace spillway::limits

int main(int argc, char** argv) {
  using namespace spillway::limits;
  Run(CommandLine::Parse(argc, argv, 4, kUsage));
}
