// Stages: what becomes of the mapper's pairs. For each kind of job, how they are delivered on the
// map side and which function runs on the reduce side. Types only.
#pragma once

#include <string>
#include <type_traits>
#include <typeinfo>
#include <utility>

#include "mapreduce/adapter/reduce_adapter.h"
#include "mapreduce/comparator.h"

namespace spillway::internal {

struct IdentityStage {};
struct MapOnlyStage {};
template <class R>
struct ReduceStage {};
template <class F>
struct FoldStage {};

template <class A, class B>
inline constexpr bool kSameCodec = std::is_same_v<View<A>, View<B>>;

/// What is so of most stages.
struct AnyStage {
  /// The map side folds, so that the shuffle carries states in place of values.
  static constexpr bool kShufflesStates = false;
  /// The shuffle's keys are (key, value) pairs.
  static constexpr bool kShufflesPairs = false;
};

/// What a stage makes of the mapper's K and V: the delivery of emitted pairs and the reduce side.
template <class Stage, class K, class V, class Format>
struct StageTraits;

template <class K, class V, class Format>
struct StageTraits<IdentityStage, K, V, Format> : AnyStage {
  using Delivery = PairDelivery<K, V>;
  static constexpr auto kReduce = &RunIdentity<K, V, Format>;
  static std::string Name() { return ""; }
};

template <class K, class V, class Format>
struct StageTraits<MapOnlyStage, K, V, Format> : AnyStage {
  using Delivery = FormatDelivery<K, V, Format>;
  static constexpr int (*kReduce)(spillway_task*) = nullptr;
  static std::string Name() { return ""; }
};

template <class R, class K, class V, class Format>
struct StageTraits<ReduceStage<R>, K, V, Format> : AnyStage {
  static_assert(kSameCodec<K, typename R::Key>, "the reducer's key type is not the mapper's");
  static_assert(kSameCodec<V, typename R::Value>, "the reducer's value type is not the mapper's");
  using Delivery = PairDelivery<K, V>;
  static constexpr auto kReduce =
      &RunReducer<R, FormatDelivery<typename R::OutKey, typename R::OutValue, Format>>;
  static std::string Name() { return TypeName(typeid(R)); }
};

template <class F, class K, class V, class Format>
struct StageTraits<FoldStage<F>, K, V, Format> : AnyStage {
  static_assert(kSameCodec<V, typename F::Value>,
                "the fold's value type is not the mapper's, e.g. Sum<std::uint64_t> needs a "
                "mapper that emits std::uint64_t");
  static_assert(F::kExact || std::is_trivially_copyable_v<typename F::State>);
  static constexpr bool kShufflesStates = F::kExact;
  using Delivery = std::conditional_t<F::kExact, FoldDelivery<K, V, F>, PairDelivery<K, V>>;
  static constexpr auto kReduce = &RunFold<K, V, F, Format>;
  static std::string Name() { return TypeName(typeid(F)); }

  static void Combine(void* const* states, const void* const* values, std::size_t count) noexcept {
    using State = typename F::State;
    MustNotThrow(typeid(F), [&] {
      for (std::size_t i = 0; i < count; ++i)
        F::Combine(*static_cast<State*>(states[i]), *static_cast<const State*>(values[i]));
    });
  }
  static void Describe(spillway_job& job) {
    if constexpr (F::kExact) {
      job.fold_kind = FoldKind<F>();
      job.state_bytes = FoldDelivery<K, V, F>::kStateBytes;
      job.fold_combine = &Combine;
    }
  }
};

template <class T, class K, class V, class Format>
struct StageTraits<FoldStage<Distinct<T>>, K, V, Format> : AnyStage {
  static_assert(kSameCodec<V, T>, "Distinct's value type is not the mapper's");
  static constexpr bool kShufflesStates = true;
  static constexpr bool kShufflesPairs = true;
  using Delivery = KeyValueDelivery<K, V>;
  static constexpr auto kReduce = &RunDistinct<K, V, Format>;
  static std::string Name() { return TypeName(typeid(Distinct<T>)); }

  static void Keep(void* const*, const void* const*, std::size_t) noexcept {}
  static void Describe(spillway_job& job) {
    job.fold_kind = SPILLWAY_FOLD_CUSTOM;
    job.state_bytes = 8;
    job.fold_combine = &Keep;
    job.group_bytes = &FirstPartBytes<std::pair<K, V>>;
  }
};

}  // namespace spillway::internal
