// The limit for k-means (Lloyd's algorithm): how fast a program can be that does nothing else.
//
//   k_means [--threads N] POINTS K ROUNDS OUT
//
// POINTS has lines `label number number ...`. The first K points are the first centres; OUT gets
// the last ones, one line each. Prints the seconds of parsing and of each round as JSON.
//
// The trick: a vector holds one coordinate of 16 points, so nothing is added across a vector, and
// up to eight centres are compared at once. To be added to its centre a point is turned into a row
// again, in registers. Distances are in single precision, sums in double. Sums have one association
// for any number of threads: those of kPieceBlocks blocks, added in the order of the file.
#include <algorithm>
#include <atomic>
#include <cstring>
#include <limits>
#include <type_traits>

#include "bench/limits/command_line.h"
#include "bench/limits/files.h"
#include "bench/limits/number_text.h"
#include "bench/limits/parallel.h"
#include "bench/limits/points.h"
#include "bench/limits/round_times.h"

namespace spillway::limits {
namespace {

constexpr const char* kUsage = "usage: k_means [--threads N] POINTS K ROUNDS OUT";
constexpr std::size_t kPieceBlocks = 1024;
constexpr std::size_t kCentresMax = 4096;
constexpr std::size_t kRoundsMax = 100'000;

using LaneNumbers = std::int32_t __attribute__((vector_size(kLanes * sizeof(float))));
using FourFloats = float __attribute__((vector_size(16)));
using FourDoubles = double __attribute__((vector_size(32), aligned(8), may_alias));

struct Sums {
  std::vector<double> coordinates;  ///< Of the points of each centre, centre after centre.
  std::vector<double> counts;
};

struct Nearest {
  Lanes distance = Lanes{} + std::numeric_limits<float>::infinity();
  LaneNumbers centre = {};
};

/// Compares a block with kTogether centres; the first one has number `first`.
template <std::size_t kTogether>
void Compare(const Lanes* block, std::size_t dimensions, const float* centres, std::size_t first,
             Nearest& nearest) {
  Lanes sums[kTogether] = {};
  for (std::size_t d = 0; d < dimensions; ++d) {
    const Lanes row = block[d];
    for (std::size_t c = 0; c < kTogether; ++c) {
      const Lanes apart = row - centres[c * dimensions + d];
      sums[c] += apart * apart;
    }
  }
  for (std::size_t c = 0; c < kTogether; ++c) {
    const LaneNumbers nearer = sums[c] < nearest.distance;
    nearest.distance = nearer ? sums[c] : nearest.distance;
    nearest.centre = nearer ? LaneNumbers{} + static_cast<std::int32_t>(first + c) : nearest.centre;
  }
}

/// Turns four rows into 16 rows of four: that of point i is row i / 4 of 128 bits in turned[i % 4].
void TurnFour(const Lanes* rows, Lanes (&turned)[4]) {
  using Order = LaneNumbers;
  constexpr Order kLow = {0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29};
  constexpr Order kHigh = {2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31};
  constexpr Order kLowPairs = {0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29};
  constexpr Order kHighPairs = {2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31};
  const Lanes ab_01 = __builtin_shuffle(rows[0], rows[1], kLow);
  const Lanes cd_01 = __builtin_shuffle(rows[2], rows[3], kLow);
  const Lanes ab_23 = __builtin_shuffle(rows[0], rows[1], kHigh);
  const Lanes cd_23 = __builtin_shuffle(rows[2], rows[3], kHigh);
  turned[0] = __builtin_shuffle(ab_01, cd_01, kLowPairs);
  turned[1] = __builtin_shuffle(ab_01, cd_01, kHighPairs);
  turned[2] = __builtin_shuffle(ab_23, cd_23, kLowPairs);
  turned[3] = __builtin_shuffle(ab_23, cd_23, kHighPairs);
}

/// Adds kFours * 4 coordinates of a block's points to `sums`, those of the first centre.
template <std::size_t kFours>
void AddRows(const Lanes* rows, std::size_t points, std::size_t dimensions,
             const LaneNumbers& centre, double* sums) {
  Lanes turned[kFours][4];
  for (std::size_t f = 0; f < kFours; ++f) TurnFour(rows + f * 4, turned[f]);
  for (std::size_t i = 0; i < points; ++i) {
    double* const to = sums + static_cast<std::size_t>(centre[i]) * dimensions;
    for (std::size_t f = 0; f < kFours; ++f) {
      FourFloats four;
      std::memcpy(&four, reinterpret_cast<const char*>(&turned[f][i % 4]) + i / 4 * sizeof four,
                  sizeof four);
      *reinterpret_cast<FourDoubles*>(to + f * 4) += __builtin_convertvector(four, FourDoubles);
    }
  }
}

class Centres {
 public:
  Centres(std::size_t count, const Points& points)
      : count_(count), dimensions_(points.dimensions()), rows_(count * dimensions_) {
    for (std::size_t i = 0; i < count; ++i)
      for (std::size_t d = 0; d < dimensions_; ++d) rows_[i * dimensions_ + d] = points.at(i, d);
    rounded_.assign(rows_.begin(), rows_.end());
  }

  /// The sums of blocks [begin, end).
  void AddBlocks(const Points& points, std::size_t begin, std::size_t end, Sums& sums) const {
    sums.coordinates.assign(count_ * dimensions_, 0);
    sums.counts.assign(count_, 0);
    for (std::size_t b = begin; b < end; ++b) {
      const std::size_t in_block = std::min(kLanes, points.count() - b * kLanes);
      // The number of coordinates that is measured is known when this is compiled.
      if (dimensions_ == 16)
        AddBlock(points.block(b), in_block, 16, sums);
      else
        AddBlock(points.block(b), in_block, dimensions_, sums);
    }
  }

  /// A centre without points stays where it is.
  void Move(const Sums& sums) {
    for (std::size_t i = 0; i < count_; ++i)
      for (std::size_t d = 0; d < dimensions_ && sums.counts[i] > 0; ++d)
        rows_[i * dimensions_ + d] = sums.coordinates[i * dimensions_ + d] / sums.counts[i];
    rounded_.assign(rows_.begin(), rows_.end());
  }

  std::string Text() const {
    std::string text;
    for (std::size_t i = 0; i < count_; ++i) {
      AppendRow(rows_.data() + i * dimensions_, dimensions_, ' ', text);
      text += '\n';
    }
    return text;
  }

 private:
  [[gnu::always_inline]] void AddBlock(const Lanes* block, std::size_t points,
                                       std::size_t dimensions, Sums& sums) const {
    const LaneNumbers centre = FindNearest(block, dimensions);
    for (std::size_t i = 0; i < points; ++i) sums.counts[static_cast<std::size_t>(centre[i])] += 1;
    double* const to = sums.coordinates.data();
    std::size_t d = 0;
    for (; d + 16 <= dimensions; d += 16) AddRows<4>(block + d, points, dimensions, centre, to + d);
    for (; d + 4 <= dimensions; d += 4) AddRows<1>(block + d, points, dimensions, centre, to + d);
    for (; d < dimensions; ++d)
      for (std::size_t i = 0; i < points; ++i)
        to[static_cast<std::size_t>(centre[i]) * dimensions + d] +=
            static_cast<double>(block[d][i]);
  }

  /// The first one of the nearest.
  [[gnu::always_inline]] LaneNumbers FindNearest(const Lanes* block, std::size_t dimensions) const {
    Nearest nearest;
    const auto compare = [&](std::size_t c, auto together) {
      Compare<together()>(block, dimensions, rounded_.data() + c * dimensions, c, nearest);
      return c + together();
    };
    std::size_t c = 0;
    while (c + 8 <= count_) c = compare(c, std::integral_constant<std::size_t, 8>());
    if (c + 4 <= count_) c = compare(c, std::integral_constant<std::size_t, 4>());
    if (c + 2 <= count_) c = compare(c, std::integral_constant<std::size_t, 2>());
    if (c < count_) compare(c, std::integral_constant<std::size_t, 1>());
    return nearest.centre;
  }

  std::size_t count_, dimensions_;
  std::vector<double> rows_;
  std::vector<float> rounded_;  // As distances are measured.
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
  const std::size_t pieces = (points.blocks() + kPieceBlocks - 1) / kPieceBlocks;
  std::vector<Sums> sums(pieces);
  for (std::size_t round = 0; round < rounds; ++round) {
    std::atomic<std::size_t> next = 0;
    RunThreads(line.threads, [&](unsigned) {
      for (std::size_t i; (i = next.fetch_add(1)) < pieces;)
        centres.AddBlocks(points, i * kPieceBlocks,
                          std::min(points.blocks(), (i + 1) * kPieceBlocks), sums[i]);
    });
    for (std::size_t i = 1; i < pieces; ++i) {
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
