// The jobs of a keyed loop (keyed_loop.h) that are ordinary ones: its first values, in both modes,
// and a round in disk mode, in which mappers send messages along edges by source, and reducers fold
// what reaches a vertex. Each reducer keeps a part of the table of values. One task, one thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "mapreduce/adapter/keyed_memory_loop.h"
#include "mapreduce/builtin/graph.h"
#include "mapreduce/chain_file.h"
#include "mapreduce/mapper.h"
#include "mapreduce/partitioner.h"
#include "mapreduce/reducer.h"
#include "mapreduce/value_table.h"
#include "mapreduce/vertex.h"

namespace spillway::internal {

/// A vertex with the part that keeps its value.
using Slot = std::pair<std::uint32_t, std::uint64_t>;

class BySlot : public Partitioner<Slot> {
 public:
  std::uint32_t Partition(const View<Slot>& slot, std::uint32_t) { return slot.first; }
};

/// Opens the values of the last round that has ended.
template <class Loop>
Status OpenValues(const TaskContext& context,
                  ValueTable<typename Loop::Value, typename Loop::Total>& values) {
  SPILLWAY_ASSIGN_OR_RETURN(const ChainFile chain, ChainFile::Read(context));
  auto directory = chain.DirectoryOf(kRoundValues);
  if (!directory.ok()) directory = chain.DirectoryOf(kMemoryValues);
  if (!directory.ok()) directory = chain.DirectoryOf(kFirstValues);
  SPILLWAY_RETURN_IF_ERROR(directory.status());
  values.Open(*directory);
  return OkStatus();
}

/// The value of every vertex of one part, one after the other: those of keys that come and those
/// between them.
template <class Loop, class In>
class ValueReducer : public Reducer<Slot, In, std::string, Nothing> {
  using Base = Reducer<Slot, In, std::string, Nothing>;

 protected:
  using Out = typename Base::Emitter;
  using Entry = VertexValue<typename Loop::Value>;

  void BeginPart(const TaskContext& context, std::uint64_t vertices) {
    part_ = context.task_index();
    parts_ = {vertices, context.partition_count()};
  }

  /// Adds the next vertex.
  void Put(const Entry& entry, Out& out) {
    const auto put = [&out](std::string_view bytes) { out.Emit(bytes, Nothing{}); };
    Open(out);
    loop_.Add(total_, Vertex{writer_.next(), entry.out_edges}, entry.value);
    writer_.Add(entry, total_, put);
    if (writer_.RangeEnds()) total_ = {};
  }

  void EndPart(Out& out) {
    Open(out);
    writer_.End([&out](std::string_view bytes) { out.Emit(bytes, Nothing{}); });
  }

  std::uint64_t next(Out& out) {
    Open(out);
    return writer_.next();
  }
  bool at_end() const { return writer_.at_end(); }

  Loop loop_;
  VertexParts parts_;

 private:
  void Open(Out& out) {
    if (opened_) return;
    opened_ = true;
    writer_.Begin(parts_, part_, [&out](std::string_view bytes) { out.Emit(bytes, Nothing{}); });
  }

  std::uint32_t part_ = 0;
  bool opened_ = false;
  ValueWriter<typename Loop::Value, typename Loop::Total> writer_;
  typename Loop::Total total_{};  ///< Of the range so far.
};

/// A vertex and its number of out-edges, from the vertex table.
class SlotVertices : public Mapper<Pairs<std::string, std::uint64_t>, Slot, std::uint64_t> {
 public:
  Status Setup(TaskContext& context) {
    SPILLWAY_RETURN_IF_ERROR(numbers_.Setup(context));
    if (numbers_.vertices() == 0) return BadData("the input holds no edge");
    parts_ = {numbers_.vertices(), context.partition_count()};
    return OkStatus();
  }
  void Map(const Pair<std::string, std::uint64_t>& vertex, Emitter& out) {
    const std::uint64_t number = numbers_.Of(vertex);
    out.Emit({parts_.PartOf(number), number}, vertex.value);
  }

 private:
  VertexNumbers numbers_;
  VertexParts parts_;
};

template <class Loop>
class FirstValues : public ValueReducer<Loop, std::uint64_t> {
  using Base = ValueReducer<Loop, std::uint64_t>;

 public:
  Status Setup(TaskContext& context) {
    SPILLWAY_RETURN_IF_ERROR(numbers_.Setup(context));
    this->BeginPart(context, numbers_.vertices());
    const std::uint32_t part = context.task_index();
    const std::uint64_t count = this->parts_.Begin(part + 1) - this->parts_.Begin(part);
    context.counter("loop", "state bytes").Add(count * KeyedMemoryLoop<Loop>::kVertexBytes);
    context.counter("loop", "round bytes").Add(count * sizeof(typename Loop::Value));
    return SetUpLoop(this->loop_, context);
  }
  void Reduce(const View<Slot>& slot, typename Base::Values& values, typename Base::Emitter& out) {
    const std::uint64_t number = slot.second;
    std::uint64_t out_edges = 0;
    values.Next(&out_edges);
    this->Put({out_edges, this->loop_.First({number, out_edges}, this->parts_.vertices)}, out);
  }
  void Teardown(typename Base::Emitter& out) { this->EndPart(out); }

 private:
  VertexNumbers numbers_;
};

/// Sends each source's message along its edges, which come one after the other.
template <class Loop>
class SendMessages : public Mapper<Pairs<Edge, Nothing>, Slot, typename Loop::Message> {
  using Base = Mapper<Pairs<Edge, Nothing>, Slot, typename Loop::Message>;

 public:
  Status Setup(TaskContext& context) {
    SPILLWAY_RETURN_IF_ERROR(OpenValues<Loop>(context, values_));
    parts_ = {values_.vertices(), context.partition_count()};
    return SetUpLoop(loop_, context);
  }
  void Map(const Pair<Edge, Nothing>& edge, typename Base::Emitter& out) {
    const auto [source, target] = edge.key;
    if (source != source_) {
      const auto entry = values_.Of(source);
      message_ = loop_.Send({source, entry.out_edges}, entry.value);
      source_ = source;
    }
    out.Emit({parts_.PartOf(target), target}, message_);
  }

 private:
  Loop loop_;
  ValueTable<typename Loop::Value, typename Loop::Total> values_;
  VertexParts parts_;
  std::uint64_t source_ = UINT64_MAX;
  typename Loop::Message message_{};
};

template <class Loop>
class NextValues : public ValueReducer<Loop, typename Loop::Message> {
  using Base = ValueReducer<Loop, typename Loop::Message>;

 public:
  Status Setup(TaskContext& context) {
    SPILLWAY_RETURN_IF_ERROR(OpenValues<Loop>(context, values_));
    this->BeginPart(context, values_.vertices());
    changed_ = context.counter("loop", "changed");
    SPILLWAY_RETURN_IF_ERROR(SetUpLoop(this->loop_, context));
    total_ = values_.Sum([this](auto& into, const auto& from) { this->loop_.Join(into, from); });
    return OkStatus();
  }

  void Reduce(const View<Slot>& slot, typename Base::Values& values, typename Base::Emitter& out) {
    const std::uint64_t number = slot.second;
    while (this->next(out) < number) Step(nullptr, out);
    typename Loop::Message folded{}, message{};
    values.Next(&folded);
    while (values.Next(&message)) this->loop_.Fold(folded, message);
    Step(&folded, out);
  }

  void Teardown(typename Base::Emitter& out) {
    static_cast<void>(this->next(out));
    while (!this->at_end()) Step(nullptr, out);
    this->EndPart(out);
  }

 private:
  void Step(const typename Loop::Message* folded, typename Base::Emitter& out) {
    const std::uint64_t number = this->next(out);
    const auto old = values_.Of(number);
    const auto next =
        this->loop_.Next({number, old.out_edges}, old.value, folded, total_, this->parts_.vertices);
    if (this->loop_.Changed(old.value, next)) changed_.Increment();
    this->Put({old.out_edges, next}, out);
  }

  ValueTable<typename Loop::Value, typename Loop::Total> values_;
  typename Loop::Total total_{};
  Counter changed_;
};

}  // namespace spillway::internal
