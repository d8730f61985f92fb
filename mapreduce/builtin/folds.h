// Folds: reductions that need no class. A fold is an associative and commutative operation; the
// engine applies it as early as it can, in a table on the map side, so that a key costs memory
// once however often it is emitted.
//
//   Sum<T> Min<T> Max<T>     of numbers; integer sums wrap at 64 bits
//   Count                    how many values, whatever they are
//   Mean<T>                  the arithmetic mean, as a double
//   TopN<N, T>               the N largest values, from large to small, parted by commas
//   Distinct<T>              how many different values
//
// Your own is a struct with
//   using Value = ...;  using State = ...;                 // State: trivially copyable
//   static State Lift(Value value);
//   static void Combine(State& into, const State& other);  // must not throw: ends the process
//   static Result Finish(const State& state);              // what is written
//   static constexpr bool kExact = true;                   // see below
// kExact says that the order of Combine calls does not change the result. Sums of floats are not
// exact: their values travel unfolded and are combined in the contract's order (key, map task,
// arrival), so that the output is byte-identical whatever the memory and the threads.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <type_traits>

#include "mapreduce/abi.h"
#include "mapreduce/codec.h"
#include "mapreduce/output_format.h"

namespace spillway {

namespace internal {

/// 64 bits of the same kind: what sums and extremes are kept in.
template <class T>
using Wide =
    std::conditional_t<std::floating_point<T>, double,
                       std::conditional_t<std::is_signed_v<T>, std::int64_t, std::uint64_t>>;

/// The engine's own loop for this fold, where it has one.
template <class Fold>
constexpr std::uint32_t FoldKind() {
  if constexpr (requires { Fold::kKind; }) {
    return Fold::kKind;
  } else {
    return SPILLWAY_FOLD_CUSTOM;
  }
}

}  // namespace internal

template <internal::Number T>
struct Sum {
  using Value = T;
  using State = internal::Wide<T>;
  static constexpr bool kExact = std::integral<T>;
  static constexpr std::uint32_t kKind = kExact ? SPILLWAY_FOLD_SUM_U64 : SPILLWAY_FOLD_CUSTOM;
  static constexpr bool kLiftIsIdentity = std::same_as<T, State>;
  static State Lift(T value) { return static_cast<State>(value); }
  static void Combine(State& into, const State& other) {
    if constexpr (kExact) {
      into =
          static_cast<State>(static_cast<std::uint64_t>(into) + static_cast<std::uint64_t>(other));
    } else {
      into += other;
    }
  }
  static State Finish(const State& state) { return state; }
};

template <internal::Number T>
struct Min {
  using Value = T;
  using State = internal::Wide<T>;
  static constexpr bool kExact = true;
  static constexpr std::uint32_t kKind = std::floating_point<T> ? SPILLWAY_FOLD_CUSTOM
                                         : std::is_signed_v<T>  ? SPILLWAY_FOLD_MIN_I64
                                                                : SPILLWAY_FOLD_MIN_U64;
  static constexpr bool kLiftIsIdentity = std::same_as<T, State>;
  static State Lift(T value) { return static_cast<State>(value); }
  /// By encoded order, so that NaN and -0.0 have one place each.
  static void Combine(State& into, const State& other) {
    if (internal::ToOrdered(other) < internal::ToOrdered(into)) into = other;
  }
  static T Finish(const State& state) { return static_cast<T>(state); }
};

template <internal::Number T>
struct Max {
  using Value = T;
  using State = internal::Wide<T>;
  static constexpr bool kExact = true;
  static constexpr std::uint32_t kKind = std::floating_point<T> ? SPILLWAY_FOLD_CUSTOM
                                         : std::is_signed_v<T>  ? SPILLWAY_FOLD_MAX_I64
                                                                : SPILLWAY_FOLD_MAX_U64;
  static constexpr bool kLiftIsIdentity = std::same_as<T, State>;
  static State Lift(T value) { return static_cast<State>(value); }
  static void Combine(State& into, const State& other) {
    if (internal::ToOrdered(other) > internal::ToOrdered(into)) into = other;
  }
  static T Finish(const State& state) { return static_cast<T>(state); }
};

/// `T` is the type that the mapper emits; its value is not looked at.
template <class T>
struct Count {
  using Value = T;
  using State = std::uint64_t;
  static constexpr bool kExact = true;
  static constexpr std::uint32_t kKind = SPILLWAY_FOLD_SUM_U64;
  static State Lift(const View<T>&) { return 1; }
  static void Combine(State& into, const State& other) { into += other; }
  static std::uint64_t Finish(const State& state) { return state; }
};

template <internal::Number T>
struct Mean {
  using Value = T;
  struct State {
    internal::Wide<T> sum;
    std::uint64_t count;
  };
  static constexpr bool kExact = std::integral<T>;
  static State Lift(T value) { return {static_cast<internal::Wide<T>>(value), 1}; }
  static void Combine(State& into, const State& other) {
    Sum<T>::Combine(into.sum, other.sum);
    into.count += other.count;
  }
  static double Finish(const State& state) {
    return static_cast<double>(state.sum) / static_cast<double>(state.count);
  }
};

/// What TopN finishes with: up to N values from large to small.
template <std::size_t kCountMax, class T>
struct TopList {
  std::uint64_t count = 0;
  T items[kCountMax];

  void AppendTo(OutputBuffer& out) const {
    for (std::uint64_t i = 0; i < count; ++i) {
      if (i != 0) out.Append(',');
      out.AppendNumber(items[i]);
    }
  }
};

template <std::size_t kCountMax, internal::Number T>
struct TopN {
  static_assert(kCountMax > 0 && kCountMax <= 1024);
  using Value = T;
  using State = TopList<kCountMax, T>;
  static constexpr bool kExact = true;
  static State Lift(T value) {
    State state{};
    state.count = 1;
    state.items[0] = value;
    return state;
  }
  static void Combine(State& into, const State& other) {
    const auto larger = [](T a, T b) { return internal::ToOrdered(a) > internal::ToOrdered(b); };
    T both[2 * kCountMax];
    T* const end = std::merge(into.items, into.items + into.count, other.items,
                              other.items + other.count, both, larger);
    into.count = std::min<std::uint64_t>(kCountMax, static_cast<std::uint64_t>(end - both));
    std::copy(both, both + into.count, into.items);
  }
  static State Finish(const State& state) { return state; }
};

/// Counts different values. The shuffle carries (key, value) pairs, each once per run, so a key
/// with any number of values needs no memory of its own. They come in their encoded order, so the
/// job has no SortBy, GroupBy or Combine, and HashPartitioner or RangePartitioner only.
template <class T>
struct Distinct {
  using Value = T;
};

}  // namespace spillway
