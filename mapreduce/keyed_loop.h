// Keyed loops: iterative jobs that keep a value for each vertex of a graph. Each round sends a
// message along every edge, folds what reaches a vertex, and makes its next value. A loop is one
// class:
//
//   class Nearest {                                // how many edges from the vertex 0
//    public:
//     using Value = std::uint64_t;                 // trivially copyable, as Total
//     using Message = std::uint64_t;               // any type with a Codec
//     struct Total {};                             // what is added up over all vertices
//     static constexpr bool kBothWays = false;     // messages go along edges, or both ways
//
//     Value First(const Vertex& v, std::uint64_t vertices) const;
//     void Add(Total& total, const Vertex& v, const Value& value) const;
//     void Join(Total& into, const Total& from) const;
//     Message Send(const Vertex& from, const Value& value) const;
//     void Fold(Message& into, const Message& from) const;
//     Value Next(const Vertex& v, const Value& value, const Message* folded,   // null: none came
//                const Total& total, std::uint64_t vertices) const;
//     bool Changed(const Value& value, const Value& next) const;   // none did: the loop ends
//     Status Setup(const Args& args);              // may be left out
//   };
//
//   return KeyedChain<Nearest>(20).Then(NewJob().Map<WriteResults>().MapOnly(), {kGraphVertices});
//
// The last stage reads the vertex table; its mapper is a ResultMapper<Nearest, K, V>, which knows
// the value of each vertex. Messages to a vertex are folded in the order of their source, and
// totals by ranges of vertices (value_table.h): results depend on neither mode, nor workers,
// threads, memory or reducers. In memory mode the rounds are one job (adapter/keyed_memory_loop.h);
// in disk mode each round is one: edges are read, messages shuffled, values written.
#pragma once

#include <cstdint>

#include "mapreduce/adapter/keyed_memory_loop.h"
#include "mapreduce/adapter/keyed_round_job.h"
#include "mapreduce/builtin/graph.h"
#include "mapreduce/builtin/text_output.h"
#include "mapreduce/iteration.h"
#include "mapreduce/mapper.h"
#include "mapreduce/partitioner.h"
#include "mapreduce/vertex.h"

namespace spillway {

/// In memory mode the edges, sorted by target, are cut into so many parts, at most, of about as
/// many edges each, whatever will share them: their number is no part of what the result depends
/// on.
inline constexpr std::uint32_t kKeyedPartsMax = 64;

/// The base of the mapper that makes the result of the vertex table.
template <class Loop, class K, class V>
class ResultMapper : public Mapper<Pairs<std::string, std::uint64_t>, K, V> {
 public:
  Status Setup(TaskContext& context) {
    SPILLWAY_RETURN_IF_ERROR(numbers_.Setup(context));
    return internal::OpenValues<Loop>(context, values_);
  }

 protected:
  std::uint64_t NumberOf(const Pair<std::string, std::uint64_t>& vertex) const {
    return numbers_.Of(vertex);
  }
  typename Loop::Value ValueOf(const Pair<std::string, std::uint64_t>& vertex) {
    return values_.Of(numbers_.Of(vertex)).value;
  }

 private:
  VertexNumbers numbers_;
  ValueTable<typename Loop::Value, typename Loop::Total> values_;
};

/// The graph and the rounds; a stage that reads {kGraphVertices} makes the result.
template <class Loop>
auto KeyedChain(std::uint32_t rounds_max) {
  return GraphChain()
      .Then(NewJob()
                .Map<internal::SlotVertices>()
                .template Partition<internal::BySlot>()
                .template Reduce<internal::FirstValues<Loop>>()
                .template Write<RawOutput>(),
            {kGraphVertices})
      .Then(NewJob()
                .Map<SortByTarget<Loop::kBothWays>>()
                .template Partition<RangePartitioner>()
                .template GroupBy<GroupByFirst>()
                .Reducers(kKeyedPartsMax),
            {kGraphTargets})
      .OnlyInMemory()
      .Then(NewLoop(internal::KeyedMemoryLoop<Loop>()).Rounds(rounds_max), {kEdgesByTarget})
      .Then(NewJob().Map<SortEdges<Loop::kBothWays>>().template Partition<RangePartitioner>(),
            {kGraphTargets})
      .OnlyOnDisk()
      .Then(NewJob()
                .Map<internal::SendMessages<Loop>>()
                .template Partition<internal::BySlot>()
                .template Reduce<internal::NextValues<Loop>>()
                .template Write<RawOutput>(),
            {kEdgesBySource})
      .Rounds(rounds_max)
      .OnlyOnDisk();
}

}  // namespace spillway
