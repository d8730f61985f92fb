// k-means: groups points around k centres (Lloyd's algorithm). Input: lines of numbers parted by
// blanks, the first one a label, which is ignored (--no-label: there is none). It starts from the
// first k points, so its result depends on the input alone. Output: a line for each centre: its
// number, how many points are nearest to it, its coordinates.
//
//   spillway run k_means -i points.txt -o centres -- 10
#include <algorithm>
#include <charconv>
#include <cmath>
#include <vector>

#include "../points/point_batch.h"
#include "nearest_centres.h"

using namespace spillway;
using points::PointBatch;

namespace {

constexpr std::uint32_t kCentresMax = 4096;
/// Squared distances of larger coordinates leave single precision.
constexpr float kCoordinateMax = 1e18f;

struct Options {
  std::uint32_t centres = 0;
  bool labelled = true;
  double tolerance = 1e-6;  ///< Converged when no centre moves further.
};

class KMeans {
 public:
  using Input = TextLines;
  using Batch = PointBatch;

  struct Start {
    points::Extent extent;
    std::vector<float> first;  ///< Up to k points.

    void Save(LoopWriter& out) const {
      extent.Save(out);
      out.Put(first);
    }
    void Load(LoopReader& in) {
      extent.Load(in);
      in.Get(first);
    }
  };

  struct State {
    std::uint32_t dims = 0;
    std::vector<double> centres;
    std::vector<float> rounded;         ///< The centres, as distances are measured to them.
    std::vector<std::uint64_t> counts;  ///< Points nearest to each, in the round before.

    void Round() { rounded.assign(centres.begin(), centres.end()); }
    void Save(LoopWriter& out) const {
      out.Put(dims);
      out.Put(centres);
      out.Put(counts);
    }
    void Load(LoopReader& in) {
      in.Get(dims);
      in.Get(centres);
      in.Get(counts);
      Round();
    }
  };

  struct Partial {
    std::vector<double> sums;  ///< By centre and coordinate.
    std::vector<std::uint64_t> counts;

    void Save(LoopWriter& out) const {
      out.Put(sums);
      out.Put(counts);
    }
    void Load(LoopReader& in) {
      in.Get(sums);
      in.Get(counts);
    }
  };

  explicit KMeans(const Options& options) : options_(options) {}

  void Parse(const Line& line, Batch& batch) const {
    batch.Add(line, options_.labelled);
    for (std::uint32_t d = 0; d < batch.dims(); ++d)
      if (std::fabs(batch.at(batch.count() - 1, d)) > kCoordinateMax)
        throw BadRecord("coordinates go up to 1e18");
  }

  void Gather(const Batch& batch, Start& start) const {
    start.extent.Add(batch);
    for (std::uint32_t i = 0; i < batch.count() && Wanted(start) > 0; ++i)
      for (std::uint32_t d = 0; d < batch.dims(); ++d) start.first.push_back(batch.at(i, d));
  }

  void Join(Start& into, const Start& from) const {
    into.extent.Add(from.extent);
    const std::size_t more = std::min(from.first.size(), Wanted(into) * into.extent.dims);
    into.first.insert(into.first.end(), from.first.begin(),
                      from.first.begin() + static_cast<std::ptrdiff_t>(more));
  }

  void First(const Start& all, State& state) const {
    if (all.extent.points < options_.centres)
      throw BadRecord("the input has " + std::to_string(all.extent.points) +
                      " points, too few for " + std::to_string(options_.centres) + " centres");
    state.dims = all.extent.dims;
    state.centres.assign(all.first.begin(), all.first.end());
    state.counts.assign(options_.centres, 0);
    state.Round();
  }

  void Map(const Batch& batch, const State& state, Partial& into) const {
    const auto k = static_cast<std::uint32_t>(state.counts.size());
    into.sums.resize(state.centres.size());
    into.counts.resize(k);
    add_to_nearest_(batch.block(0), batch.count(), {state.rounded.data(), k, state.dims},
                    {into.sums.data(), into.counts.data()});
  }

  void Fold(Partial& into, const Partial& from) const {
    into.sums.resize(std::max(into.sums.size(), from.sums.size()));
    into.counts.resize(std::max(into.counts.size(), from.counts.size()));
    for (std::size_t i = 0; i < from.sums.size(); ++i) into.sums[i] += from.sums[i];
    for (std::size_t i = 0; i < from.counts.size(); ++i) into.counts[i] += from.counts[i];
  }

  bool Next(State& state, const Partial& total, const LoopRound&) const {
    double moved = 0;
    for (std::size_t c = 0; c < state.counts.size(); ++c) {
      state.counts[c] = total.counts[c];
      if (total.counts[c] == 0) continue;  // Nothing is nearest to it: it stays where it is.
      double distance = 0;
      for (std::size_t i = c * state.dims; i < (c + 1) * state.dims; ++i) {
        const double to = total.sums[i] / static_cast<double>(total.counts[c]);
        distance += (to - state.centres[i]) * (to - state.centres[i]);
        state.centres[i] = to;
      }
      moved = std::max(moved, distance);
    }
    state.Round();
    return moved <= options_.tolerance * options_.tolerance;
  }

  void Print(const State& state, OutputBuffer& out) const {
    for (std::size_t c = 0; c < state.counts.size(); ++c) {
      out.Append(std::uint64_t{c}, '\t', state.counts[c], '\t');
      for (std::uint32_t d = 0; d < state.dims; ++d) {
        if (d > 0) out.Append(' ');
        out.AppendNumber(state.centres[c * state.dims + d]);
      }
      out.Append('\n');
    }
  }

 private:
  /// How many of the first points are still missing.
  std::size_t Wanted(const Start& start) const {
    if (start.extent.dims == 0) return options_.centres;
    return options_.centres - start.first.size() / start.extent.dims;
  }

  Options options_;
  k_means::NearestKernel add_to_nearest_ = k_means::ChooseNearestKernel();
};

}  // namespace

SPILLWAY_PLUGIN("k_means", "groups points around k centres",
                "K [--no-label] [--tolerance=DISTANCE]") {
  Options options;
  for (std::size_t i = 0; i < args.size(); ++i) {
    const std::string_view arg = args[i];
    if (arg.starts_with("--tolerance=")) continue;
    if (arg == "--no-label") {
      options.labelled = false;
      continue;
    }
    const std::string shown = "'" + std::string(arg) + "'";
    if (arg.starts_with("--")) return InvalidArgument("what is " + shown + "?");
    if (options.centres != 0) return InvalidArgument("K is given already, what is " + shown + "?");
    const auto [after, error] =
        std::from_chars(arg.data(), arg.data() + arg.size(), options.centres);
    if (error != std::errc() || after != arg.data() + arg.size())
      return InvalidArgument(shown + " is no number of centres");
  }
  if (options.centres == 0 || options.centres > kCentresMax)
    return InvalidArgument("give K, the number of centres, from 1 to " +
                           std::to_string(kCentresMax));
  if (Status status = points::ReadOption(args, "tolerance", &options.tolerance); !status.ok())
    return status;
  return NewLoop(KMeans(options)).Rounds(20);
}
