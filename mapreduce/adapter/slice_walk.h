// SliceWalk: what a part of a keyed loop in memory mode makes of its edges in one round: the next
// values of a slice of the vertices, one after the other, each of what its sources send. One
// thread.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <stdexcept>
#include <utility>

#include "mapreduce/adapter/graph_facts.h"
#include "mapreduce/edge_batch.h"
#include "mapreduce/vertex_values.h"

namespace spillway::internal {

template <class Loop>
class SliceWalk {
  using Value = typename Loop::Value;
  using Message = typename Loop::Message;
  using Slice = ValueSlice<Value>;

 public:
  SliceWalk(const GraphFacts<Loop>& facts, std::uint32_t file, const VertexValues<Value>& old)
      : facts_(facts), end_(facts.slices[file + 1]), made_(std::make_shared<Slice>()) {
    made_->first = next_ = facts.slices[file];
    if (next_ > end_) throw std::runtime_error("files of edges are not in the order of targets");
    old_ = next_ == end_ ? nullptr : old.CellsOf(next_, end_);
    made_->cells.resize(end_ - next_);
  }

  /// `sent` is by source, `total` that of the round.
  void Pull(const EdgeBatch& batch, const Message* sent, const typename Loop::Total& total) {
    const std::uint32_t* source = batch.sources.data();
    for (const EdgeBatch::Run& run : batch.runs) {
      const std::uint32_t* const end = source + run.edges;
      Message folded;
      if (run.target == target_) {  // The last batch ended among its edges.
        folded = folded_;
      } else {
        Settle(total);
        if (run.target < next_ || run.target >= end_)
          throw std::runtime_error("edges are not sorted by target");
        target_ = run.target;
        folded = sent[*source++];
      }
      while (source != end) facts_.loop.Fold(folded, sent[*source++]);
      folded_ = folded;
    }
  }

  /// The whole slice, and how many of its values have changed.
  std::shared_ptr<const Slice> End(const typename Loop::Total& total, std::uint64_t* changed) {
    Settle(total);
    Skip(end_, total);
    *changed = changed_;
    return std::move(made_);
  }

 private:
  static constexpr std::uint64_t kNoTarget = std::numeric_limits<std::uint64_t>::max();

  /// All edges of the target have come.
  void Settle(const typename Loop::Total& total) {
    if (target_ == kNoTarget) return;
    Skip(target_, total);
    Step(&folded_, total);
    target_ = kNoTarget;
  }
  /// Vertices without in-edges.
  void Skip(std::uint64_t end, const typename Loop::Total& total) {
    while (next_ < end) Step(nullptr, total);
  }
  void Step(const Message* folded, const typename Loop::Total& total) {
    const std::uint64_t at = next_ - made_->first;
    const Value& old = old_[at].value;
    const Value next =
        facts_.loop.Next(facts_.VertexOf(next_), old, folded, total, facts_.vertices);
    if (facts_.loop.Changed(old, next)) ++changed_;
    made_->cells[at].value = next;
    ++next_;
  }

  const GraphFacts<Loop>& facts_;
  const std::uint64_t end_;
  std::uint64_t next_ = 0;  ///< Vertex.
  const typename Slice::Cell* old_ = nullptr;
  std::shared_ptr<Slice> made_;
  std::uint64_t target_ = kNoTarget;  ///< Whose messages are in folded_.
  Message folded_{};
  std::uint64_t changed_ = 0;
};

}  // namespace spillway::internal
