// The limit for PageRank: damping 0.85, the rank of vertices without out-edges spread evenly.
//
//   page_rank [--threads N] EDGES ROUNDS OUT
//
// EDGES has lines `from TAB to` of vertex numbers; every number from 0 to the largest one is a
// vertex. OUT gets lines `vertex TAB rank`. Prints the seconds of parsing (with the making of the
// graph) and of each round as JSON.
//
// The trick: ranks are pulled along in-edges, which lie target after target, sorted by source
// (CSR), so that a round writes each rank once and takes no lock; what a source sends is divided
// once per source and not once per edge; threads take targets by their number of edges.
#include <algorithm>
#include <limits>

#include "bench/limits/command_line.h"
#include "bench/limits/files.h"
#include "bench/limits/number_text.h"
#include "bench/limits/parallel.h"
#include "bench/limits/round_times.h"
#include "bench/limits/text_pieces.h"

namespace spillway::limits {
namespace {

constexpr const char* kUsage = "usage: page_rank [--threads N] EDGES ROUNDS OUT";
constexpr double kDamping = 0.85;
constexpr std::size_t kRoundsMax = 100'000;
constexpr std::size_t kVerticesMax = std::size_t{1} << 31;
/// Dangling rank is added per range of so many vertices and the ranges in order, so that the sum
/// has one association for any number of threads.
constexpr std::size_t kRangeVertices = 65'536;

struct Edge {
  std::uint32_t from, to;
};

std::vector<Edge> ParsePiece(const TextPieces& text, std::string_view piece) {
  std::vector<Edge> edges;
  edges.reserve(piece.size() / 12);
  const char* const end = piece.data() + piece.size();
  for (const char* at = piece.data(); at < end;) {
    const char* const begin = at;
    if (*at == '\n') {
      ++at;
      continue;
    }
    Edge edge{};
    at = ReadNumber(at, end, &edge.from);
    // The second number stands in the same line.
    if (at != nullptr) at = *at == '\n' ? nullptr : ReadNumber(at, end, &edge.to);
    if (at == nullptr) text.FailAt(begin, "no edge `from TAB to`");
    at = SkipBlanks(at, end);
    if (at < end && *at++ != '\n') text.FailAt(begin, "more than two numbers in a line");
    if (std::max(edge.from, edge.to) >= kVerticesMax) text.FailAt(begin, "a number above 2^31");
    edges.push_back(edge);
  }
  return edges;
}

struct Graph {
  std::vector<std::uint32_t> out_degrees;
  std::vector<std::uint64_t> begins;  ///< Of each vertex's in-edges in `sources`; one more.
  std::vector<std::uint32_t> sources;

  std::size_t vertices() const { return out_degrees.size(); }
};

Graph MakeGraph(const std::vector<std::vector<Edge>>& parts) {
  Graph graph;
  std::uint32_t largest = 0;
  std::uint64_t edges = 0;
  for (const auto& part : parts) {
    edges += part.size();
    for (const Edge& edge : part) largest = std::max({largest, edge.from, edge.to});
  }
  if (edges == 0) Fail(kExitUsage, "there are no edges");
  graph.out_degrees.resize(std::size_t{largest} + 1);
  graph.begins.resize(graph.vertices() + 1);
  for (const auto& part : parts)
    for (const Edge& edge : part) {
      ++graph.out_degrees[edge.from];
      ++graph.begins[edge.to + 1];
    }
  for (std::size_t v = 0; v < graph.vertices(); ++v) graph.begins[v + 1] += graph.begins[v];
  graph.sources.resize(edges);
  std::vector<std::uint64_t> next(graph.begins.begin(), graph.begins.end() - 1);
  for (const auto& part : parts)
    for (const Edge& edge : part) graph.sources[next[edge.to]++] = edge.from;
  return graph;
}

void SortSources(Graph& graph, std::size_t begin, std::size_t end) {
  for (std::size_t v = begin; v < end; ++v)
    std::sort(graph.sources.begin() + static_cast<std::ptrdiff_t>(graph.begins[v]),
              graph.sources.begin() + static_cast<std::ptrdiff_t>(graph.begins[v + 1]));
}

/// Where each thread's targets begin, so that all have about as many edges; one more at the end.
std::vector<std::size_t> ShareOut(const Graph& graph, unsigned threads) {
  std::vector<std::size_t> cuts = {0};
  for (unsigned i = 1; i < threads; ++i) {
    const std::uint64_t edge = graph.sources.size() * i / threads;
    const auto at = std::lower_bound(graph.begins.begin(), graph.begins.end() - 1, edge);
    cuts.push_back(static_cast<std::size_t>(at - graph.begins.begin()));
  }
  cuts.push_back(graph.vertices());
  return cuts;
}

class Ranks {
 public:
  Ranks(const Graph& graph, unsigned threads)
      : graph_(graph),
        threads_(threads),
        cuts_(ShareOut(graph, threads)),
        ranks_(graph.vertices(), 1.0 / static_cast<double>(graph.vertices())),
        sent_(graph.vertices()),
        dangling_((graph.vertices() + kRangeVertices - 1) / kRangeVertices) {}

  void Round() {
    RunThreads(threads_, [&](unsigned i) {
      const std::size_t ranges = dangling_.size();
      for (std::size_t r = ranges * i / threads_; r < ranges * (i + 1) / threads_; ++r) Send(r);
    });
    double dangling = 0;
    for (const double range : dangling_) dangling += range;
    const auto vertices = static_cast<double>(graph_.vertices());
    const double base = (1 - kDamping) / vertices + kDamping * (dangling / vertices);
    RunThreads(threads_, [&](unsigned i) { Pull(cuts_[i], cuts_[i + 1], base); });
  }

  const std::vector<double>& ranks() const { return ranks_; }

 private:
  void Send(std::size_t range) {
    const std::size_t end = std::min(graph_.vertices(), (range + 1) * kRangeVertices);
    double dangling = 0;
    for (std::size_t v = range * kRangeVertices; v < end; ++v) {
      const std::uint32_t degree = graph_.out_degrees[v];
      sent_[v] = degree == 0 ? 0 : ranks_[v] / degree;
      if (degree == 0) dangling += ranks_[v];
    }
    dangling_[range] = dangling;
  }

  void Pull(std::size_t begin, std::size_t end, double base) {
    for (std::size_t v = begin; v < end; ++v) {
      double sum = 0;
      for (std::uint64_t e = graph_.begins[v]; e < graph_.begins[v + 1]; ++e)
        sum += sent_[graph_.sources[e]];
      ranks_[v] = base + kDamping * sum;
    }
  }

  const Graph& graph_;
  const unsigned threads_;
  const std::vector<std::size_t> cuts_;
  std::vector<double> ranks_, sent_, dangling_;
};

void Run(const CommandLine& line) {
  const std::size_t rounds = CountOf(line.operands[1], kRoundsMax);
  if (rounds == 0) Fail(kExitUsage, kUsage);
  RoundTimes times;
  Graph graph;
  {
    const TextPieces text(line.operands[0], line.threads);
    std::vector<std::vector<Edge>> parts(text.count());
    RunThreads(static_cast<unsigned>(parts.size()),
               [&](unsigned i) { parts[i] = ParsePiece(text, text.piece(i)); });
    graph = MakeGraph(parts);
  }
  const std::vector<std::size_t> cuts = ShareOut(graph, line.threads);
  RunThreads(line.threads, [&](unsigned i) { SortSources(graph, cuts[i], cuts[i + 1]); });
  times.EndParse();

  Ranks ranks(graph, line.threads);
  for (std::size_t round = 0; round < rounds; ++round) {
    ranks.Round();
    times.EndRound();
  }
  std::string text;
  for (std::size_t v = 0; v < graph.vertices(); ++v) {
    AppendNumber(v, text);
    text += '\t';
    AppendNumber(ranks.ranks()[v], text);
    text += '\n';
  }
  OutputFile(line.operands[2]).WriteAt(0, text);
  times.Print();
}

}  // namespace
}  // namespace spillway::limits

int main(int argc, char** argv) {
  using namespace spillway::limits;
  Run(CommandLine::Parse(argc, argv, 3, kUsage));
}
