// KeyedMemoryLoop: a keyed loop (keyed_loop.h) in memory mode, as a loop (iteration.h) over the
// edges by target. A part is one file of them, and makes the values of a slice of the vertices:
// each target pulls what its sources send, in their order. What a part leaves are the next values
// of its slice; a round's values are made of these alone.
//
// What does not change from round to round (how many out-edges vertices have, where slices begin)
// is read once for each process. The object is shared by all threads.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <utility>

#include "mapreduce/adapter/graph_facts.h"
#include "mapreduce/adapter/slice_walk.h"
#include "mapreduce/builtin/graph.h"
#include "mapreduce/builtin/pair_file.h"
#include "mapreduce/edge_batch.h"
#include "mapreduce/loop_bytes.h"
#include "mapreduce/loop_round.h"
#include "mapreduce/output_format.h"
#include "mapreduce/value_table.h"
#include "mapreduce/vertex.h"
#include "mapreduce/vertex_values.h"

namespace spillway::internal {

/// Files of pairs that are one part each.
template <class K, class V>
struct PairFiles : Pairs<K, V> {
  static Framing framing() { return Framing::WholeFiles(&PairBlockBytes); }
};

template <class Loop>
class KeyedMemoryLoop {
  using Value = typename Loop::Value;
  using Total = typename Loop::Total;
  using Sent = SentMessages<typename Loop::Message, Total>;
  using Facts = GraphFacts<Loop>;

 public:
  static constexpr bool kRoundsStandAlone = true;
  /// What a process needs for each vertex: out-edges, the messages of two rounds, and values: those
  /// of two rounds, and as they travel.
  static constexpr std::uint64_t kVertexBytes =
      4 + 2 * sizeof(typename Loop::Message) + 6 * sizeof(Value);

  using Input = PairFiles<Edge, Nothing>;  ///< (target, source)
  using Batch = EdgeBatch;
  struct Start {};
  struct State {
    VertexValues<Value> values;
    std::shared_ptr<Sent> sent;

    void Save(LoopWriter& out) const { values.Save(out); }
    void Load(LoopReader& in) {
      values.Load(in);
      sent = std::make_shared<Sent>(values.vertices());
    }
  };
  struct Partial {
    VertexValues<Value> values;  ///< Of slices that are whole.
    std::uint64_t changed = 0;
    std::optional<SliceWalk<Loop>> walk;  ///< While batches are mapped.

    void Save(LoopWriter& out) const {
      out.Put(changed);
      values.Save(out);
    }
    void Load(LoopReader& in) {
      in.Get(changed);
      values.Load(in);
    }
  };

  Status Setup(const TaskContext& context) const {
    const std::lock_guard lock(kept_->mutex);
    if (kept_->facts != nullptr) return OkStatus();
    auto facts = std::make_unique<Facts>();
    SPILLWAY_RETURN_IF_ERROR(facts->Read(context));
    kept_->facts = std::move(facts);
    return OkStatus();
  }

  void Parse(const Pair<Edge, Nothing>& edge, EdgeBatch& batch) const {
    const auto [target, source] = edge.key;
    if (std::max(target, source) >= facts().vertices)
      throw BadRecord("an edge of a vertex that is not in the graph");
    batch.file_index = edge.file_index;
    batch.Add(static_cast<std::uint32_t>(target), static_cast<std::uint32_t>(source));
  }

  void Gather(const EdgeBatch&, Start&) const {}
  void Join(Start&, const Start&) const {}
  void First(const Start&, State& state) const {
    ValueTable<Value, Total> table;
    table.Open(facts().first_values);
    auto all = std::make_shared<ValueSlice<Value>>();
    all->cells.reserve(table.vertices());
    for (std::uint64_t v = 0; v < table.vertices(); ++v) all->cells.push_back({table.Of(v).value});
    state.values.Add(std::move(all));
    state.sent = std::make_shared<Sent>(facts().vertices);
  }

  void Map(const EdgeBatch& batch, const State& state, Partial& into) const {
    Complete(state);
    if (!into.walk) into.walk.emplace(facts(), batch.file_index, state.values);
    const Total total = state.sent->total();  // A copy, so that it stays in registers.
    into.walk->Pull(batch, state.sent->messages(), total);
  }
  void Finish(const State& state, Partial& into) const {
    if (into.walk) into.values.Add(into.walk->End(state.sent->total(), &into.changed));
    into.walk.reset();
  }

  void Fold(Partial& into, const Partial& from) const {
    into.values.Append(from.values);
    into.changed += from.changed;
  }
  bool Next(State& state, Partial&& total, const LoopRound&) const {
    total.values.ExpectWhole(facts().vertices);
    state.values = std::move(total.values);
    state.sent = std::make_shared<Sent>(facts().vertices);
    return total.changed == 0;
  }

  /// The table that disk mode leaves, as one part (docs/formats/values.md).
  void Print(const State& state, OutputBuffer& out) const {
    const auto put = [&out](std::string_view bytes) { out.Append(bytes); };
    ValueWriter<Value, Total> writer;
    writer.Begin({facts().vertices, 1}, 0, put);
    Total total{};
    state.values.ForEach(0, facts().vertices, [&](std::uint64_t v, const Value& value) {
      facts().loop.Add(total, facts().VertexOf(v), value);
      writer.Add({facts().out_edges[v], value}, total, put);
      if (writer.RangeEnds()) total = {};
    });
    writer.End(put);
  }

 private:
  struct Kept {
    std::mutex mutex;
    std::unique_ptr<const Facts> facts;  ///< Once set, it stays.
  };

  /// After Setup.
  const Facts& facts() const { return *kept_->facts; }

  void Complete(const State& state) const {
    const Facts& known = facts();
    state.sent->Complete(
        [&](std::uint64_t first, typename Loop::Message* messages, Total& total) {
          const std::uint64_t end = std::min(known.vertices, first + kRangeVertices);
          state.values.ForEach(first, end, [&](std::uint64_t v, const Value& value) {
            const Vertex vertex = known.VertexOf(v);
            if (Loop::kBothWays || vertex.out_edges > 0)
              messages[v] = known.loop.Send(vertex, value);
            known.loop.Add(total, vertex, value);
          });
        },
        [&known](Total& into, const Total& from) { known.loop.Join(into, from); });
  }

  std::shared_ptr<Kept> kept_ = std::make_shared<Kept>();
};

}  // namespace spillway::internal
