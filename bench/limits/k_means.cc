// The limit for k-means (Lloyd's algorithm): how fast a program can be that does nothing else.
//
//   k_means [--threads N] POINTS K ROUNDS OUT
//
// POINTS has lines `label number number ...`. The first K points are the first centres; OUT gets
// the last ones, one line each. Prints the seconds of parsing and of each round as JSON.
//
// The trick: centres are kept transposed, coordinate by coordinate, in rows padded to whole
// vectors, so that a point is compared with eight centres at a time and nothing is added across a
// vector. Sums have one association for any number of threads: those of blocks of kBlockPoints,
// added in the order of the file.
#include <algorithm>
#include <atomic>
#include <limits>

#include "bench/limits/command_line.h"
#include "bench/limits/files.h"
#include "bench/limits/number_text.h"
#include "bench/limits/parallel.h"
#include "bench/limits/points.h"
#include "bench/limits/round_times.h"

namespace spillway::limits {
namespace {

constexpr const char* kUsage = "usage: k_means [--threads N] POINTS K ROUNDS OUT";
constexpr std::size_t kBlockPoints = 4096;
constexpr std::size_t kVectorNumbers = 8;
constexpr std::size_t kCentresMax = 4096;
constexpr std::size_t kRoundsMax = 100'000;

struct Sums {
  std::vector<double> coordinates;  ///< Of the points of each centre, centre after centre.
  std::vector<double> counts;
};

class Centres {
 public:
  Centres(std::size_t count, const Points& points)
      : count_(count),
        padded_((count + kVectorNumbers - 1) / kVectorNumbers * kVectorNumbers),
        dimensions_(points.dimensions),
        columns_(padded_ * dimensions_, kFar) {
    for (std::size_t i = 0; i < count; ++i) Set(i, points.row(i), 1);
  }

  void AddBlock(const Points& points, std::size_t begin, std::size_t end, Sums& sums) const {
    sums.coordinates.assign(count_ * dimensions_, 0);
    sums.counts.assign(count_, 0);
    std::vector<double> distances(padded_);
    for (std::size_t i = begin; i < end; ++i) {
      const double* const point = points.row(i);
      const std::size_t nearest = Nearest(point, distances.data());
      double* const sum = sums.coordinates.data() + nearest * dimensions_;
      for (std::size_t d = 0; d < dimensions_; ++d) sum[d] += point[d];
      sums.counts[nearest] += 1;
    }
  }

  /// A centre without points stays where it is.
  void Move(const Sums& sums) {
    for (std::size_t i = 0; i < count_; ++i)
      if (sums.counts[i] > 0) Set(i, sums.coordinates.data() + i * dimensions_, sums.counts[i]);
  }

  std::string Text() const {
    std::string text;
    std::vector<double> row(dimensions_);
    for (std::size_t i = 0; i < count_; ++i) {
      for (std::size_t d = 0; d < dimensions_; ++d) row[d] = columns_[d * padded_ + i];
      AppendRow(row.data(), dimensions_, ' ', text);
      text += '\n';
    }
    return text;
  }

 private:
  /// The padding's centres are nobody's nearest.
  static constexpr double kFar = 1e150;

  void Set(std::size_t i, const double* sum, double count) {
    for (std::size_t d = 0; d < dimensions_; ++d) columns_[d * padded_ + i] = sum[d] / count;
  }

  /// The first one of the nearest.
  std::size_t Nearest(const double* point, double* distances) const {
    std::fill_n(distances, padded_, 0.0);
    for (std::size_t d = 0; d < dimensions_; ++d) {
      const double* const column = columns_.data() + d * padded_;
      for (std::size_t i = 0; i < padded_; ++i) {
        const double apart = point[d] - column[i];
        distances[i] += apart * apart;
      }
    }
    std::size_t nearest = 0;
    for (std::size_t i = 1; i < count_; ++i)
      if (distances[i] < distances[nearest]) nearest = i;
    return nearest;
  }

  std::size_t count_, padded_, dimensions_;
  std::vector<double> columns_;
};

void Run(const CommandLine& line) {
  const std::size_t count = CountOf(line.operands[1], kCentresMax);
  const std::size_t rounds = CountOf(line.operands[2], kRoundsMax);
  if (count == 0 || rounds == 0) Fail(kExitUsage, kUsage);
  RoundTimes times;
  const Points points = Points::Parse(line.operands[0], line.threads);
  if (points.count() < count) Fail(kExitUsage, "there are more centres than points");
  times.EndParse();

  Centres centres(count, points);
  const std::size_t blocks = (points.count() + kBlockPoints - 1) / kBlockPoints;
  std::vector<Sums> sums(blocks);
  for (std::size_t round = 0; round < rounds; ++round) {
    std::atomic<std::size_t> next = 0;
    RunThreads(line.threads, [&](unsigned) {
      for (std::size_t i; (i = next.fetch_add(1)) < blocks;)
        centres.AddBlock(points, i * kBlockPoints, std::min(points.count(), (i + 1) * kBlockPoints),
                         sums[i]);
    });
    for (std::size_t i = 1; i < blocks; ++i) {
      for (std::size_t j = 0; j < sums[0].coordinates.size(); ++j)
        sums[0].coordinates[j] += sums[i].coordinates[j];
      for (std::size_t j = 0; j < count; ++j) sums[0].counts[j] += sums[i].counts[j];
    }
    centres.Move(sums[0]);
    times.EndRound();
  }
  OutputFile(line.operands[3]).WriteAt(0, centres.Text());
  times.Print();
}

}  // namespace
}  // namespace spillway::limits

int main(int argc, char** argv) {
  using namespace spillway::limits;
  Run(CommandLine::Parse(argc, argv, 4, kUsage));
}
