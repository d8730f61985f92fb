// The limit for logistic regression by gradient descent over all points.
//
//   logistic_regression [--threads N] POINTS RATE ROUNDS OUT
//
// POINTS has lines `label number number ...` with labels 0 and 1. Weights begin at 0, the first one
// is the bias; OUT gets the last ones in one line. Prints the seconds of parsing and of each round
// as JSON.
//
// The trick: none but rows that lie one behind the other; a round reads memory once. Sums have one
// association for any number of threads: those of blocks of kBlockPoints, added in order.
#include <algorithm>
#include <atomic>
#include <charconv>
#include <cmath>

#include "bench/limits/command_line.h"
#include "bench/limits/files.h"
#include "bench/limits/number_text.h"
#include "bench/limits/parallel.h"
#include "bench/limits/points.h"
#include "bench/limits/round_times.h"

namespace spillway::limits {
namespace {

constexpr const char* kUsage = "usage: logistic_regression [--threads N] POINTS RATE ROUNDS OUT";
constexpr std::size_t kBlockPoints = 4096;
constexpr std::size_t kRoundsMax = 100'000;

/// gradient += (sigmoid(w.x) - label) * (1, x) for the points of a block.
void AddBlock(const Points& points, const std::vector<double>& weights, std::size_t begin,
              std::size_t end, std::vector<double>& gradient) {
  gradient.assign(weights.size(), 0);
  for (std::size_t i = begin; i < end; ++i) {
    const double* const x = points.row(i);
    double product = weights[0];
    for (std::size_t d = 0; d < points.dimensions; ++d) product += weights[d + 1] * x[d];
    const double error = 1 / (1 + std::exp(-product)) - points.labels[i];
    gradient[0] += error;
    for (std::size_t d = 0; d < points.dimensions; ++d) gradient[d + 1] += error * x[d];
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

  std::vector<double> weights(points.dimensions + 1, 0);
  const std::size_t blocks = (points.count() + kBlockPoints - 1) / kBlockPoints;
  std::vector<std::vector<double>> gradients(blocks);
  for (std::size_t round = 0; round < rounds; ++round) {
    std::atomic<std::size_t> next = 0;
    RunThreads(line.threads, [&](unsigned) {
      for (std::size_t i; (i = next.fetch_add(1)) < blocks;)
        AddBlock(points, weights, i * kBlockPoints,
                 std::min(points.count(), (i + 1) * kBlockPoints), gradients[i]);
    });
    for (std::size_t i = 1; i < blocks; ++i)
      for (std::size_t j = 0; j < weights.size(); ++j) gradients[0][j] += gradients[i][j];
    for (std::size_t j = 0; j < weights.size(); ++j)
      weights[j] -= rate * gradients[0][j] / static_cast<double>(points.count());
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
