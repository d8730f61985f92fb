// Iterative jobs. A loop is written once, as one class, and runs in memory mode (its input stays
// parsed in the workers; only partials travel) and in disk mode (each round an ordinary job), with
// the same bytes as result:
//
//   class Average {                               // the mean of all numbers, in one round
//    public:
//     using Input = TextLines;                    // an InputFormat
//     struct Batch { std::vector<double> x; };    // parsed records
//     struct Start { std::uint64_t n = 0; };      // what round 0 gathers
//     struct State { std::uint64_t n = 0; double mean = 0; };
//     struct Partial { double sum = 0; };
//
//     void Parse(const Line& line, Batch& batch) const;              // appends one record
//     void Gather(const Batch& batch, Start& start) const;
//     void Join(Start& into, const Start& from) const;
//     void First(const Start& all, State& state) const;              // the state of round 1
//     void Map(const Batch& batch, const State& state, Partial& into) const;
//     void Fold(Partial& into, const Partial& from) const;
//     bool Next(State& state, const Partial& total, const LoopRound& round) const;  // true: done
//     void Print(const State& state, OutputBuffer& out) const;       // the result, in lines
//   };
//
//   SPILLWAY_PLUGIN("average", "", "") { return NewLoop(Average()).Rounds(1); }
//
// What a class of a loop may have besides
//
// - First and Next may take the total as Start&& and Partial&&, or by value, to keep what is in it.
//
//     void Finish(const State& state, Partial& into) const;
//   Called once for each part and round, after the part's last batch was mapped (of round 0's
//   Gather there is no such end), also for a part without batches: what needs the whole part at
//   once.
//
//     static constexpr bool kRoundsStandAlone = true;
//   The state of a round follows from the partials of the round before alone: Next sets all of the
//   state that Map, Finish or Print read, and looks at nothing that it held. (First does so anyway:
//   the state of round 1 follows from the Starts.) Then Next is given a new State instead of a
//   copy of the old one, only the newest round is kept, and a process that comes late is told
//   just that one: it makes state n of the partials of round n - 1, and never sees a Start unless
//   it comes in round 1. What First learned must therefore be in the partials of every round,
//   which a part may take from the state that Map and Finish are given.
//
// What every class of a loop keeps to
// - Objects are default-constructible. A default-constructed Start or Partial is the neutral
//   element of Join and Fold; Map and Gather add to what they are given.
// - An object that is not trivially copyable has Save(LoopWriter&) const and Load(LoopReader&).
// - Batch has std::uint64_t bytes() const, about what it takes of memory. A batch holds the 4 096
//   records that follow each other in a part of the input, or what is left of them.
// - Everything is deterministic: every process folds and steps for itself. Floating-point sums are
//   then the same for any number of workers, threads and bytes of memory, since batches, parts and
//   the order in which they are folded depend on the input alone.
// - BadRecord, thrown by Parse, names a bad record with its file and offset; thrown elsewhere it
//   says that the input as a whole cannot be used.
// - The object itself is shared by all threads, so all functions are const.
// - `Status Setup(const TaskContext&) const` may be added: each task calls it before anything else,
//   and more than once. What it reads, of a side file for example, the object keeps for all.
#pragma once

#include <concepts>
#include <cstdint>
#include <memory>
#include <utility>

#include "mapreduce/adapter/loop_adapter.h"
#include "mapreduce/adapter/loop_round_job.h"
#include "mapreduce/job.h"
#include "mapreduce/loop_bytes.h"
#include "mapreduce/loop_round.h"

namespace spillway {

template <class Loop>
class LoopBuilder {
 public:
  explicit LoopBuilder(Loop loop) : loop_(std::make_shared<const Loop>(std::move(loop))) {}

  /// The most rounds, unless the command says another number. A loop that has not converged by
  /// then ends all the same, and its report says so.
  LoopBuilder Rounds(std::uint32_t rounds_max) const {
    LoopBuilder next = *this;
    next.rounds_max_ = rounds_max;
    return next;
  }

  operator Job() const { return Build(); }                       // NOLINT: reads well at return
  operator Result<Job>() const { return Result<Job>(Build()); }  // NOLINT

 private:
  Job Build() const {
    auto made = std::make_shared<internal::PublishedLoop<Loop>>();
    made->user = loop_;
    made->abi = internal::LoopAdapter<Loop>::Describe(made->user.get());
    made->abi.rounds_max = rounds_max_;
    made->class_name = internal::TypeName(typeid(Loop));
    made->abi.class_name = made->class_name.c_str();
    Job job;
    job.abi_.loop = &made->abi;
    job.kept_ = made;
    internal::LoopRoundJob<Loop>::Describe(job.abi_);
    job.mapper_name_ = job.reducer_name_ = made->class_name;
    job.input_name_ = Loop::Input::kName;
    job.output_name_ = "Print";
    return job;
  }

  std::shared_ptr<const Loop> loop_;
  std::uint32_t rounds_max_ = 20;
};

/// The job of a loop that is described by an object of its class.
template <class Loop>
LoopBuilder<Loop> NewLoop(Loop loop) {
  return LoopBuilder<Loop>(std::move(loop));
}

}  // namespace spillway
