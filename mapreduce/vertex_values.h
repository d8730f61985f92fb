// VertexValues and SentMessages: the state of a keyed loop in memory mode. Values lie in slices,
// each of neighbouring vertices, as the parts of the loop have left them; slices are shared and
// never change. What each vertex sends, and what is added up over the graph, follows from the
// values and is made when it is needed first, by all threads that need it together.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "mapreduce/loop_bytes.h"
#include "mapreduce/value_table.h"

namespace spillway::internal {

template <class Value>
struct ValueSlice {
  /// So that a vector of them is an array whatever the value is.
  struct Cell {
    Value value;
  };
  std::uint64_t first = 0;  ///< Vertex.
  std::vector<Cell> cells;

  std::uint64_t end() const { return first + cells.size(); }
};

/// Slices in the order of their vertices, without gaps from the first one on.
template <class Value>
class VertexValues {
 public:
  using Slice = ValueSlice<Value>;

  void Add(std::shared_ptr<const Slice> slice) {
    if (!slice->cells.empty()) slices_.push_back(std::move(slice));
  }
  void Append(const VertexValues& behind) {
    slices_.insert(slices_.end(), behind.slices_.begin(), behind.slices_.end());
  }

  std::uint64_t vertices() const { return slices_.empty() ? 0 : slices_.back()->end(); }

  /// Throws std::runtime_error unless the slices are those of all vertices of a graph.
  void ExpectWhole(std::uint64_t vertices) const {
    std::uint64_t next = 0;
    bool whole = true;
    for (const auto& slice : slices_) {
      whole = whole && slice->first == next;
      next = slice->end();
    }
    if (!whole || next != vertices)
      throw std::runtime_error("the values of a round are not those of " +
                               std::to_string(vertices) + " vertices in their order");
  }

  /// Calls each(vertex, value) for those from `begin` on, up to `end`.
  template <class Each>
  void ForEach(std::uint64_t begin, std::uint64_t end, Each&& each) const {
    for (const auto& slice : slices_) {
      const std::uint64_t from = std::max(begin, slice->first), to = std::min(end, slice->end());
      for (std::uint64_t v = from; v < to; ++v) each(v, slice->cells[v - slice->first].value);
    }
  }

  /// The value of a vertex and those behind it, which all lie in one slice. Throws
  /// std::runtime_error when they do not.
  const typename Slice::Cell* CellsOf(std::uint64_t begin, std::uint64_t end) const {
    for (const auto& slice : slices_)
      if (begin >= slice->first && end <= slice->end()) return &slice->cells[begin - slice->first];
    throw std::runtime_error("the values of a round are cut in another way than its edges");
  }

  void Save(LoopWriter& out) const {
    out.Put(std::uint64_t{slices_.size()});
    for (const auto& slice : slices_) {
      out.Put(slice->first);
      out.Put(slice->cells);
    }
  }
  void Load(LoopReader& in) {
    std::uint64_t count = 0;
    in.Get(count);
    slices_.clear();
    for (std::uint64_t i = 0; i < count; ++i) {
      auto slice = std::make_shared<Slice>();
      in.Get(slice->first);
      in.Get(slice->cells);
      Add(std::move(slice));
    }
  }

 private:
  std::vector<std::shared_ptr<const Slice>> slices_;
};

/// By source, and the total over all vertices. Thread-safe once it is made.
template <class Message, class Total>
class SentMessages {
 public:
  explicit SentMessages(std::uint64_t vertices)
      : ranges_((vertices + kRangeVertices - 1) / kRangeVertices),
        messages_(std::make_unique_for_overwrite<Message[]>(vertices)),
        totals_(ranges_) {}

  /// Returns when all is made. Threads that come meanwhile take ranges of vertices in turn:
  /// make(first vertex, messages, its range's total). What one thread throws first all of them
  /// throw. There is at least one vertex.
  template <class Make, class Join>
  void Complete(Make&& make, Join&& join) {
    if (!complete_.load(std::memory_order_acquire)) MakeAll(make, join);
    if (failure_ != nullptr) std::rethrow_exception(failure_);
  }
  const Message* messages() const { return messages_.get(); }
  const Total& total() const { return total_; }

 private:
  /// Keeps what is being thrown, unless something was thrown before.
  void Fail() {
    if (!failed_.exchange(true)) failure_ = std::current_exception();
  }

  template <class Make, class Join>
  void MakeAll(Make& make, Join& join) {
    for (std::uint64_t range; (range = next_.fetch_add(1, std::memory_order_relaxed)) < ranges_;) {
      // Whatever happens, others must not wait for a range that nobody makes.
      const Counted counted(*this, join);
      try {
        if (!failed_) make(range * kRangeVertices, messages_.get(), totals_[range]);
      } catch (...) {
        Fail();
      }
    }
    complete_.wait(false, std::memory_order_acquire);
  }

  /// The range is done when this goes. The last one adds up the totals, in the order of ranges.
  template <class Join>
  class Counted {
   public:
    Counted(SentMessages& all, Join& join) : all_(all), join_(join) {}
    Counted(const Counted&) = delete;
    ~Counted() {
      if (all_.done_.fetch_add(1, std::memory_order_acq_rel) + 1 < all_.ranges_) return;
      try {
        for (const Total& total : all_.totals_) join_(all_.total_, total);
      } catch (...) {
        all_.Fail();
      }
      all_.complete_.store(true, std::memory_order_release);
      all_.complete_.notify_all();
    }

   private:
    SentMessages& all_;
    Join& join_;
  };

  const std::uint64_t ranges_;
  std::unique_ptr<Message[]> messages_;
  std::vector<Total> totals_;  ///< By range.
  Total total_{};
  std::atomic<std::uint64_t> next_{0}, done_{0};
  std::atomic<bool> complete_{false}, failed_{false};
  std::exception_ptr failure_;  ///< Set before complete_ is.
};

}  // namespace spillway::internal
