// points_generate COUNT DIMS CENTRES [SEED]: writes labelled points to stdout, one per line, that
// lie around CENTRES random places. The label is 1 on one side of a random plane, with some noise.
// The same arguments always give the same bytes.
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace {

/// SplitMix64; the standard's distributions differ from library to library.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t Next() {
    std::uint64_t z = (state_ += 0x9e37'79b9'7f4a'7c15u);
    z = (z ^ (z >> 30)) * 0xbf58'476d'1ce4'e5b9u;
    z = (z ^ (z >> 27)) * 0x94d0'49bb'1331'11ebu;
    return z ^ (z >> 31);
  }
  double Uniform() { return static_cast<double>(Next() >> 11) * 0x1p-53; }
  /// About normal, with variance 1: the sum of twelve uniform numbers.
  double Bell() {
    double sum = -6;
    for (int i = 0; i < 12; ++i) sum += Uniform();
    return sum;
  }

 private:
  std::uint64_t state_;
};

std::vector<double> RandomPoint(Random& random, std::size_t dims, double spread) {
  std::vector<double> point(dims);
  for (double& x : point) x = random.Bell() * spread;
  return point;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) {
    std::fprintf(stderr, "usage: points_generate COUNT DIMS CENTRES [SEED]\n");
    return 2;
  }
  const std::uint64_t count = std::strtoull(argv[1], nullptr, 10);
  const std::size_t dims = std::strtoull(argv[2], nullptr, 10);
  const std::size_t places = std::strtoull(argv[3], nullptr, 10);
  if (dims == 0 || places == 0) {
    std::fprintf(stderr, "points_generate: DIMS and CENTRES are at least 1\n");
    return 2;
  }
  Random random(argc > 4 ? std::strtoull(argv[4], nullptr, 10) : 1);
  std::vector<std::vector<double>> centres;
  for (std::size_t c = 0; c < places; ++c) centres.push_back(RandomPoint(random, dims, 4));
  const std::vector<double> plane = RandomPoint(random, dims, 1);
  std::string text;
  for (std::uint64_t n = 0; n < count; ++n) {
    const std::vector<double>& centre = centres[random.Next() % places];
    double side = random.Bell();
    std::string numbers;
    for (std::size_t d = 0; d < dims; ++d) {
      const double x = centre[d] + 2 * random.Bell();
      side += x * plane[d];
      char number[32];
      std::snprintf(number, sizeof number, " %.4f", x);
      numbers += number;
    }
    text += (side > 0 ? "1" : "0") + numbers + "\n";
    if (text.size() < (1u << 16) && n + 1 < count) continue;
    if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) return 1;
    text.clear();
  }
  return std::fflush(stdout) == 0 ? 0 : 1;
}
