// Writes points for benchmarks of k-means and logistic regression: lines `label number number ...`.
//
//   generate_points [--points N] [--dimensions N] [--labels N] [--seed N] [--threads N] OUT
//
// A label is the cluster that the point was drawn from, from 0: centres are spread evenly over a
// cube of side 8, and points lie around them in a bell of standard deviation 1.73, so that
// neighbouring clusters overlap. Numbers have four decimals. The same options write the same bytes
// on every machine and with any number of threads.
#include <cstdio>

#include "bench/jobs/generator.h"
#include "bench/jobs/text_blocks.h"

namespace spillway::bench {
namespace {

constexpr const char* kUsage =
    "usage: generate_points [--points N] [--dimensions N] [--labels N] [--seed N] [--threads N] "
    "OUT";
constexpr std::uint64_t kBlockPoints = 4096;
constexpr double kSide = 8;

/// The sum of twelve even numbers, less their mean: variance 1, or 3 with this factor.
double Bell(Random& random) {
  double sum = -6;
  for (int i = 0; i < 12; ++i) sum += random.Fraction();
  return sum * 1.7320508075688772;
}

/// Fixed point, by whole numbers: printf's rounding would take most of the time.
void AppendFixed(double value, std::string& text) {
  constexpr std::int64_t kScale = 10'000;
  const auto scaled = static_cast<std::int64_t>(value * kScale);
  const std::int64_t whole = scaled < 0 ? -scaled : scaled;
  if (scaled < 0) text += '-';
  text += std::to_string(whole / kScale);
  text += '.';
  for (std::int64_t unit = kScale / 10; unit > 0; unit /= 10)
    text += static_cast<char>('0' + whole / unit % 10);
}

void Run(const TextOptions& options) {
  const std::uint64_t points = options.numbers.at("points");
  const std::uint64_t dimensions = options.numbers.at("dimensions");
  const std::uint64_t labels = options.numbers.at("labels");
  const std::uint64_t seed = options.numbers.at("seed");
  Random random(seed);
  std::vector<double> centres(labels * dimensions);
  for (double& coordinate : centres) coordinate = (random.Fraction() - 0.5) * kSide;

  const std::uint64_t blocks = (points + kBlockPoints - 1) / kBlockPoints;
  WriteTextBlocks(options, blocks, [&](std::uint64_t block, std::string& text) {
    Random own = Random::ForBlock(seed, block);
    const std::uint64_t end = std::min(points, (block + 1) * kBlockPoints);
    for (std::uint64_t i = block * kBlockPoints; i < end; ++i) {
      const std::uint64_t label = own.Below(labels);
      text += std::to_string(label);
      for (std::uint64_t d = 0; d < dimensions; ++d) {
        text += ' ';
        AppendFixed(centres[label * dimensions + d] + Bell(own), text);
      }
      text += '\n';
    }
  });
}

}  // namespace
}  // namespace spillway::bench

int main(int argc, char** argv) {
  using spillway::bench::TextOptions;
  spillway::bench::Run(TextOptions::Parse(
      argc, argv, {{"points", 100'000}, {"dimensions", 10}, {"labels", 8}, {"seed", 1}},
      spillway::bench::kUsage));
}
