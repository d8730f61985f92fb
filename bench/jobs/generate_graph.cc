// Writes a directed graph for benchmarks: lines `from TAB to` of vertex numbers from 0.
//
//   generate_graph [--vertices N] [--edges N] [--seed N] [--threads N] OUT
//
// Degrees follow power laws, as on the web: a vertex of rank r is a target with a weight of
// r^(-3/4) and a source with a weight of r^(-1/2), under another ranking, so that the popular are
// not the talkative. Edges may repeat, and some vertices have no out-edge. The same options write
// the same bytes on every machine and with any number of threads.
#include <cmath>
#include <cstdint>

#include "bench/jobs/generator.h"
#include "bench/jobs/text_blocks.h"
#include "bench/limits/command_line.h"

namespace spillway::bench {
namespace {

constexpr const char* kUsage =
    "usage: generate_graph [--vertices N] [--edges N] [--seed N] [--threads N] OUT";
constexpr std::uint64_t kBlockEdges = 65'536;
constexpr std::uint64_t kVerticesMax = std::uint64_t{1} << 31;
// Primes above the largest number of vertices: multiplying by one of them reorders the ranks.
constexpr std::uint64_t kTargetPrime = 2'654'435'761;
constexpr std::uint64_t kSourcePrime = 4'093'082'899;

void Run(const TextOptions& options) {
  const std::uint64_t vertices = options.numbers.at("vertices");
  const std::uint64_t edges = options.numbers.at("edges");
  const std::uint64_t seed = options.numbers.at("seed");
  if (vertices > kVerticesMax) limits::Fail(limits::kExitUsage, kUsage);
  const auto pick = [vertices](double fraction, std::uint64_t prime) {
    const auto rank = static_cast<std::uint64_t>(fraction * static_cast<double>(vertices));
    return rank * prime % vertices;
  };
  const std::uint64_t blocks = (edges + kBlockEdges - 1) / kBlockEdges;
  WriteTextBlocks(options, blocks, [&](std::uint64_t block, std::string& text) {
    Random random = Random::ForBlock(seed, block);
    const std::uint64_t end = std::min(edges, (block + 1) * kBlockEdges);
    for (std::uint64_t i = block * kBlockEdges; i < end; ++i) {
      // Inverses of the two distributions; products only, which are the same everywhere.
      const double from = random.Fraction(), to = random.Fraction();
      text += std::to_string(pick(from * from, kSourcePrime));
      text += '\t';
      text += std::to_string(pick(to * to * (to * to), kTargetPrime));
      text += '\n';
    }
  });
}

}  // namespace
}  // namespace spillway::bench

int main(int argc, char** argv) {
  using spillway::bench::TextOptions;
  spillway::bench::Run(
      TextOptions::Parse(argc, argv, {{"vertices", 100'000}, {"edges", 1'000'000}, {"seed", 1}},
                         spillway::bench::kUsage));
}
