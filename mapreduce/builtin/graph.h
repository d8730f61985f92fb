// A graph from lines `from TAB to` of vertex names, as stages of a chain of ordinary jobs, each of
// any size (docs/graphs.md):
//
//   0  ParseEdges    the edges, as pairs of names
//   1  vertices      each name once with its number of out-edges, sorted over all parts: a vertex's
//                    number is its place in this table
//   2  JoinSource    (target name, source number)
//   3  JoinTarget    (source number, target number)
//
// GraphChain() makes them; keyed_loop.h goes on from there, with edges sorted by either end. One
// task, one thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mapreduce/builtin/folds.h"
#include "mapreduce/builtin/join.h"
#include "mapreduce/builtin/pair_file.h"
#include "mapreduce/builtin/text_input.h"
#include "mapreduce/chain.h"
#include "mapreduce/chain_file.h"
#include "mapreduce/mapper.h"

namespace spillway {

/// The numbers of the stages above.
enum GraphStage : std::uint32_t {
  kGraphEdgeNames = 0,
  kGraphVertices = 1,
  kGraphSources = 2,
  kGraphTargets = 3
};

/// Lines `from TAB to`; empty lines are passed over. Names may hold anything but TAB and newline.
class ParseEdges : public Mapper<TextLines, std::string, std::string> {
 public:
  void Map(const Line& line, Emitter& out) {
    std::string_view text = line.text;
    if (!text.empty() && text.back() == '\r') text.remove_suffix(1);
    if (text.empty()) return;
    const std::size_t tab = text.find('\t');
    if (tab == std::string_view::npos) throw BadRecord("no edge: a line is `from TAB to`");
    const std::string_view from = text.substr(0, tab), to = text.substr(tab + 1);
    if (from.empty() || to.empty()) throw BadRecord("no edge: a vertex without a name");
    if (to.find('\t') != std::string_view::npos) throw BadRecord("no edge: more than two fields");
    out.Emit(from, to);
  }
};

/// Both ends of an edge; the sum of a vertex is its number of out-edges.
class CountOutEdges : public Mapper<Pairs<std::string, std::string>, std::string, std::uint64_t> {
 public:
  void Map(const Pair<std::string, std::string>& edge, Emitter& out) {
    out.Emit(edge.key, 1);
    out.Emit(edge.value, 0);
  }
};

/// The numbers of the vertices that a task reads from the files of the vertex table.
class VertexNumbers {
 public:
  /// Counts the pairs of those input files that are parts of the table.
  Status Setup(const TaskContext& context) {
    SPILLWAY_ASSIGN_OR_RETURN(const ChainFile chain, ChainFile::Read(context));
    for (std::uint32_t i = 0; !context.input_path(i).empty(); ++i) {
      const std::string path(context.input_path(i));
      firsts_.push_back(chain.IsOf(path, kGraphVertices) ? vertices_ : kNoVertices);
      if (firsts_.back() != kNoVertices) vertices_ += CountPairs(path);
    }
    return OkStatus();
  }

  bool IsVertex(std::uint32_t file_index) const { return firsts_[file_index] != kNoVertices; }
  template <class K, class V>
  std::uint64_t Of(const Pair<K, V>& vertex) const {
    return firsts_[vertex.file_index] + vertex.number;
  }
  /// Of the whole graph.
  std::uint64_t vertices() const { return vertices_; }

 private:
  static constexpr std::uint64_t kNoVertices = UINT64_MAX;
  std::vector<std::uint64_t> firsts_;  ///< The number of each file's first vertex.
  std::uint64_t vertices_ = 0;
};

/// Vertices by name with edges by one of their ends. `Right` is the other end.
template <class Right, class OutK, class OutV>
class EndJoin : public Join<std::string, std::uint64_t, Right, OutK, OutV> {
 public:
  void OnMatch(std::string_view, const std::uint64_t* number, const View<Right>* other,
               Emitter<OutK, OutV>& out) {
    out.Emit(*other, *number);
  }
};
using SourceJoin = EndJoin<std::string, std::string, std::uint64_t>;
using TargetJoin = EndJoin<std::uint64_t, std::uint64_t, std::uint64_t>;

/// Reads vertices and edges, whose values are other types, as plain bytes.
template <class J>
class ReadEnds : public JoinMapper<Pairs<std::string, std::string>, J> {
  using Base = JoinMapper<Pairs<std::string, std::string>, J>;

 public:
  Status Setup(TaskContext& context) { return numbers_.Setup(context); }

  void Map(const Pair<std::string, std::string>& pair, typename Base::Emitter& out) {
    if (numbers_.IsVertex(pair.file_index)) {
      Base::EmitLeft(pair.key, numbers_.Of(pair), out);
      return;
    }
    View<typename J::Right> other{};
    internal::DecodeField<typename J::Right>(pair.value.data(),
                                             static_cast<std::uint32_t>(pair.value.size()), &other,
                                             scratch_, "end of an edge");
    Base::EmitRight(pair.key, other, out);
  }

 private:
  VertexNumbers numbers_;
  DecodeScratch scratch_;
};

/// (source, target), or (target, source), and with kBothWays also the other one.
using Edge = std::pair<std::uint64_t, std::uint64_t>;

class EdgeMapper : public Mapper<Pairs<std::uint64_t, std::uint64_t>, Edge, Nothing> {};

template <bool kBothWays>
class SortEdges : public EdgeMapper {
 public:
  void Map(const Pair<std::uint64_t, std::uint64_t>& edge, Emitter& out) {
    out.Emit({edge.key, edge.value});
    if constexpr (kBothWays) out.Emit({edge.value, edge.key});
  }
};

template <bool kBothWays>
class SortByTarget : public EdgeMapper {
 public:
  void Map(const Pair<std::uint64_t, std::uint64_t>& edge, Emitter& out) {
    out.Emit({edge.value, edge.key});
    if constexpr (kBothWays) out.Emit({edge.key, edge.value});
  }
};

/// The stages above, to go on from with Then(job, {stages}).
inline auto GraphChain() {
  return NewChain()
      .Then(NewJob().Map<ParseEdges>().MapOnly())
      .Then(NewJob().Map<CountOutEdges>().Partition<RangePartitioner>().Fold<Sum<std::uint64_t>>(),
            {kGraphEdgeNames})
      .Then(NewJob()
                .Map<ReadEnds<SourceJoin>>()
                .GroupBy<GroupByFirst>()
                .Reduce<JoinReducer<SourceJoin>>(),
            {kGraphVertices, kGraphEdgeNames})
      .Then(NewJob()
                .Map<ReadEnds<TargetJoin>>()
                .GroupBy<GroupByFirst>()
                .Reduce<JoinReducer<TargetJoin>>(),
            {kGraphVertices, kGraphSources});
}

}  // namespace spillway
