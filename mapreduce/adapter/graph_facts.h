// GraphFacts: what every round of a keyed loop in memory mode knows of the graph, read once for
// each process: how many out-edges vertices have, and which slice of them each file of edges by
// target makes. Then constant; any thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "mapreduce/builtin/graph.h"
#include "mapreduce/builtin/pair_file.h"
#include "mapreduce/chain_file.h"
#include "mapreduce/value_table.h"
#include "mapreduce/vertex.h"

namespace spillway::internal {

/// The first key of a file of pairs; nothing when it has no pair.
template <class K>
std::optional<K> FirstKey(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  char head[PairBlock::kHeadBytes];
  PairBlock block;
  std::string bytes;
  const bool good = file.read(head, sizeof head) && PairBlock::Decode(head, &block);
  if (good) {
    bytes.assign(head, sizeof head);
    bytes.resize(sizeof head + block.payload_bytes + SPILLWAY_PADDING_BYTES);
    file.read(bytes.data() + sizeof head, block.payload_bytes);
  }
  if (!good || !file) throw std::runtime_error(path + " is no whole file of pairs");
  std::optional<K> first;
  const std::string_view whole(bytes.data(), sizeof head + block.payload_bytes);
  Pairs<K, Nothing>::ForEach({whole, 0, 0, path}, [&first](const auto& pair, const char*) {
    if (!first) first = pair.key;
  });
  return first;
}

/// What every round knows of the graph.
template <class Loop>
struct GraphFacts {
  Loop loop;  ///< Set up.
  std::string first_values;
  std::uint64_t vertices = 0;
  std::vector<std::uint32_t> out_edges;  ///< By vertex.
  std::vector<std::uint64_t> slices;     ///< Where that of each input file begins; and the end.

  Vertex VertexOf(std::uint64_t number) const { return {number, out_edges[number]}; }

  Status Read(const TaskContext& context) {
    SPILLWAY_RETURN_IF_ERROR(SetUpLoop(loop, context));
    SPILLWAY_ASSIGN_OR_RETURN(const ChainFile chain, ChainFile::Read(context));
    SPILLWAY_ASSIGN_OR_RETURN(first_values, chain.DirectoryOf(kFirstValues));
    ValueTable<typename Loop::Value, typename Loop::Total> table;
    table.Open(first_values);
    vertices = table.vertices();
    constexpr std::uint64_t kMax = std::numeric_limits<std::uint32_t>::max();
    if (vertices > kMax)
      return InvalidArgument("the graph has " + std::to_string(vertices) +
                             " vertices, and memory mode takes 2^32: use --mode disk");
    out_edges.reserve(vertices);
    for (std::uint64_t v = 0; v < vertices; ++v) {
      const std::uint64_t edges = table.Of(v).out_edges;
      if (edges > kMax)
        return InvalidArgument("vertex " + std::to_string(v) + " has " + std::to_string(edges) +
                               " edges, and memory mode takes 2^32: use --mode disk");
      out_edges.push_back(static_cast<std::uint32_t>(edges));
    }
    ReadSlices(context);
    return OkStatus();
  }

 private:
  /// From a file's first target up to that of the next file; all vertices are in one of them.
  void ReadSlices(const TaskContext& context) {
    for (std::uint32_t i = 0; !context.input_path(i).empty(); ++i) {
      const auto first = FirstKey<Edge>(std::string(context.input_path(i)));
      slices.push_back(first ? first->first : vertices);
    }
    slices.push_back(vertices);
    for (std::size_t i = slices.size() - 1; i-- > 0;)
      if (slices[i] == vertices) slices[i] = slices[i + 1];
    const auto some = std::find_if(slices.begin(), slices.end(),
                                   [this](std::uint64_t at) { return at != slices[0]; });
    std::fill(slices.begin(), some, 0);
    if (!slices.empty()) slices.back() = vertices;
  }
};

}  // namespace spillway::internal
