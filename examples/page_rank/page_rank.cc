// PageRank of the vertices of a graph: lines `from TAB to` in, lines `vertex TAB rank` out, sorted
// by vertex. Damping 0.85; the rank of vertices without out-edges is spread evenly over all. Ranks
// add up to 1. With `--tolerance=X` it ends when no rank has moved by more than X.
#include <mapreduce/keyed_loop.h>
#include <mapreduce/mapreduce.h>

#include <charconv>
#include <cmath>
#include <optional>

using namespace spillway;

constexpr double kDamping = 0.85;
constexpr std::uint32_t kRounds = 20;

std::optional<double> ToleranceOf(const Args& args) {
  const std::string_view text = args.Option("tolerance").value_or("0");
  double tolerance = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), tolerance);
  if (error != std::errc() || end != text.data() + text.size() || !(tolerance >= 0))
    return std::nullopt;
  return tolerance;
}

class PageRank {
 public:
  using Value = double;
  using Message = double;
  struct Total {
    double dangling = 0;  ///< The rank of vertices without out-edges.
  };
  static constexpr bool kBothWays = false;

  Status Setup(const Args& args) {
    tolerance_ = ToleranceOf(args).value_or(0);
    return OkStatus();
  }
  double First(const Vertex&, std::uint64_t vertices) const {
    return 1 / static_cast<double>(vertices);
  }
  void Add(Total& total, const Vertex& vertex, double rank) const {
    if (vertex.out_edges == 0) total.dangling += rank;
  }
  void Join(Total& into, const Total& from) const { into.dangling += from.dangling; }
  double Send(const Vertex& from, double rank) const {
    return rank / static_cast<double>(from.out_edges);
  }
  void Fold(double& into, double from) const { into += from; }
  double Next(const Vertex&, double, const double* received, const Total& total,
              std::uint64_t vertices) const {
    const auto count = static_cast<double>(vertices);
    const double base = (1 - kDamping) / count + kDamping * (total.dangling / count);
    return base + kDamping * (received == nullptr ? 0 : *received);
  }
  bool Changed(double rank, double next) const { return std::abs(next - rank) > tolerance_; }

 private:
  double tolerance_ = 0;
};

class WriteRanks : public ResultMapper<PageRank, std::string, double> {
 public:
  void Map(const Pair<std::string, std::uint64_t>& vertex, Emitter& out) {
    out.Emit(vertex.key, ValueOf(vertex));
  }
};

SPILLWAY_PLUGIN("page_rank", "PageRank of a graph: lines `from TAB to`", "[--tolerance=X]") {
  if (args.size() > 1 || (args.size() == 1 && !args.Option("tolerance")))
    return InvalidArgument("what is meant by " + std::string(args[args.size() - 1]) + "?");
  if (!ToleranceOf(args)) return InvalidArgument("--tolerance takes a number, 0 or more");
  return KeyedChain<PageRank>(kRounds).Then(NewJob().Map<WriteRanks>().MapOnly(), {kGraphVertices});
}
