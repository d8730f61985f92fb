// Chains: jobs one after the other, described as one. What a stage writes is what the next one
// reads, as Pairs of its keys and values, in a directory that goes when the chain ends:
//
//   return NewChain()
//       .Then(NewJob().Map<CountWords>().Fold<Sum<std::uint64_t>>())
//       .Then(NewJob().Map<ByCount>().Reduce<Top>())          // Map reads Pairs<string, uint64_t>
//
// - A map-only stage that the next one alone reads is fused with it: its mapper's pairs go straight
//   into the next mapper, and nothing is written between the two.
// - The stages' types are checked where they meet. The last stage writes as its job says; another
//   one does so too when it names a format of its own, for a reader of its own.
// - A stage reads the one before it. Then(job, {0, 2}) names others, by the order of their Then
// from
//   0 (what was fused does not count), or kChainInput for the chain's own input.
// - A stage is planned when those before it have ended, by what they have written. All stages get
//   the job's arguments and side files; --reducers is for all that do not say Reducers(n).
//
// A Chain is a value that the plugin hands to the host, as a Job.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "mapreduce/adapter/fused_mapper.h"
#include "mapreduce/builtin/pair_file.h"
#include "mapreduce/iteration.h"
#include "mapreduce/job.h"

namespace spillway {

/// The most stages that a chain may have.
inline constexpr std::size_t kStagesMax = 64;
/// In From: the files that the job was given.
inline constexpr std::uint32_t kChainInput = SPILLWAY_STAGE_CHAIN_INPUT;

namespace internal {

/// The types of what a builder's job writes.
template <class Types, class Stage = typename Types::Stage>
struct Written {  // MapOnly, or the sorted pairs.
  using Key = typename Types::Mapper::Key;
  using Value = typename Types::Mapper::Value;
};
template <class Types, class R>
struct Written<Types, ReduceStage<R>> {
  using Key = typename R::OutKey;
  using Value = typename R::OutValue;
};
template <class Types, class F>
struct Written<Types, FoldStage<F>> {
  using Key = typename Types::Mapper::Key;
  using Value = std::remove_cvref_t<decltype(F::Finish(std::declval<typename F::State>()))>;
};
template <class Types, class T>
struct Written<Types, FoldStage<Distinct<T>>> {
  using Key = typename Types::Mapper::Key;
  using Value = std::uint64_t;
};

template <class Input, class Types>
inline constexpr bool kReads = false;
template <class K, class V, class Types>
inline constexpr bool kReads<Pairs<K, V>, Types> =
    kSameCodec<K, typename Written<Types>::Key>&& kSameCodec<V, typename Written<Types>::Value>;

/// A stage and where its input comes from.
struct ChainStage {
  std::shared_ptr<Job> job;
  std::vector<std::uint32_t> inputs;
  std::uint32_t rounds_max = 0;
  std::uint32_t when = SPILLWAY_STAGE_ALWAYS;
};

/// What spillway_job::chain points to.
struct PublishedChain {
  std::vector<ChainStage> kept;
  std::vector<spillway_stage> stages;
  spillway_chain abi{};
};

}  // namespace internal

/// The stages that are finished, and the last one, whose output is not known yet.
template <class Last>
class ChainBuilder {
 public:
  ChainBuilder(std::vector<internal::ChainStage> done, Last last, std::vector<std::uint32_t> inputs)
      : done_(std::move(done)), last_(std::move(last)), inputs_(std::move(inputs)) {}

  /// Runs the last stage so far again and again; see spillway_stage::rounds_max and chain_file.h.
  ChainBuilder Rounds(std::uint32_t rounds_max) const {
    ChainBuilder next = *this;
    next.rounds_max_ = rounds_max;
    return next;
  }

  /// Leaves the last stage so far out in the other mode. What is said of it goes for its place in
  /// the chain, not for the stages behind it.
  ChainBuilder OnlyOnDisk() const { return Only(SPILLWAY_STAGE_ON_DISK); }
  ChainBuilder OnlyInMemory() const { return Only(SPILLWAY_STAGE_IN_MEMORY); }

  /// Adds a stage that reads the one before it.
  template <class Types>
  auto Then(const JobBuilder<Types>& next) const {
    using LastTypes = typename Last::JobTypes;
    using NextMapper = typename Types::Mapper;
    static_assert(internal::kReads<typename NextMapper::Input, LastTypes>,
                  "a stage reads Pairs<K, V> of the types that the stage before it writes");
    if constexpr (std::is_same_v<typename LastTypes::Stage, internal::MapOnlyStage> &&
                  !internal::kHasNamedInputs<typename LastTypes::Mapper>) {
      using Fused = internal::FusedMapper<typename LastTypes::Mapper, NextMapper>;
      using Next = decltype(next.template Map<Fused>());
      return ChainBuilder<Next>(done_, next.template Map<Fused>(), inputs_);
    } else {
      return Add(next, {static_cast<std::uint32_t>(done_.size())});
    }
  }

  /// Adds a stage that reads the stages of these numbers, or the chain's own input. The stage
  /// before it is not fused. That types agree is seen only when pairs are decoded.
  template <class Types>
  auto Then(const JobBuilder<Types>& next, std::initializer_list<std::uint32_t> from) const {
    return Add(next, from);
  }
  /// Adds a loop, as it runs in memory mode. What it prints is for readers of its own.
  template <class Loop>
  auto Then(const LoopBuilder<Loop>& next, std::initializer_list<std::uint32_t> from) const {
    return Add(next, from).OnlyInMemory();
  }

  operator Job() const { return Build(); }                       // NOLINT: reads well at return
  operator Result<Job>() const { return Result<Job>(Build()); }  // NOLINT

 private:
  ChainBuilder Only(std::uint32_t when) const {
    ChainBuilder next = *this;
    next.when_ = when;
    return next;
  }

  /// The job of a stage that others read.
  template <class Types>
  static Job AsInput(const JobBuilder<Types>& job) {
    using Out = internal::Written<Types>;
    if constexpr (std::is_same_v<typename Types::Format, TextOutput>)
      return job.template Write<PairOutput<typename Out::Key, typename Out::Value>>();
    else
      return job;
  }
  template <class Loop>
  static Job AsInput(const LoopBuilder<Loop>& loop) {
    return loop;
  }

  template <class Next>
  auto Add(const Next& next, std::vector<std::uint32_t> inputs) const {
    auto done = done_;
    done.push_back({std::make_shared<Job>(AsInput(last_)), inputs_, rounds_max_, when_});
    return ChainBuilder<Next>(std::move(done), next, std::move(inputs));
  }

  Job Build() const {
    auto chain = std::make_shared<internal::PublishedChain>();
    chain->kept = done_;
    chain->kept.push_back({std::make_shared<Job>(last_), inputs_, rounds_max_, when_});
    Job whole = *chain->kept.front().job;
    for (const internal::ChainStage& stage : chain->kept) {
      chain->stages.push_back({sizeof(spillway_stage), &stage.job->abi(), stage.inputs.data(),
                               stage.inputs.size(), stage.rounds_max, stage.when});
      whole.stages_.push_back(stage.job);
    }
    chain->abi = {sizeof(spillway_chain), chain->stages.data(), chain->stages.size()};
    whole.abi_.chain = &chain->abi;
    whole.kept_ = std::move(chain);
    return whole;
  }

  std::vector<internal::ChainStage> done_;
  Last last_;
  std::vector<std::uint32_t> inputs_;
  std::uint32_t rounds_max_ = 0;
  std::uint32_t when_ = SPILLWAY_STAGE_ALWAYS;
};

class NewChain {
 public:
  /// The first stage reads the job's input, whatever its format.
  template <class Types>
  auto Then(const JobBuilder<Types>& first) const {
    return ChainBuilder<JobBuilder<Types>>({}, first, {kChainInput});
  }
};

}  // namespace spillway
