// Reducer<K, V, OutK, OutV>: the base of a user's reduce class.
//
//   class Longest : public Reducer<std::string, std::string> {
//    public:
//     void Reduce(std::string_view key, Values& values, Emitter& out) {
//       std::string longest;
//       for (std::string_view value : values)
//         if (value.size() > longest.size()) longest = value;
//       out.Emit(key, longest);
//     }
//   };
//
// Groups come in key order, each value once; a group may be larger than memory. A Combiner is the
// same with K, V on both sides: it runs on the map side, any number of times (none included), so
// it must not change what the reducer makes of the result, and it must emit only the key it got.
// It may say
//
//   static constexpr bool kExact = true;
//
// where the job's output has the same bytes whatever parts of a group are combined first, in
// whatever number of steps: a sum of integers is exact, one of floating-point numbers is not, since
// each grouping rounds otherwise. A large partition is shared among several tasks only with an
// exact one. Each attempt has its own object, used by one thread. Nothing is virtual.
#pragma once

#include "mapreduce/base/status.h"
#include "mapreduce/emitter.h"
#include "mapreduce/task_context.h"
#include "mapreduce/values.h"

namespace spillway {

template <class K, class V, class OutK = K, class OutV = V>
class Reducer {
 public:
  using Key = K;
  using Value = V;
  using OutKey = OutK;
  using OutValue = OutV;
  using Values = spillway::Values<V, K>;
  using Emitter = spillway::Emitter<OutK, OutV>;

  // void Reduce(const View<K>& key, Values& values, Emitter& out);     to be written by you

  /// Before the first group. A failure fails the attempt.
  Status Setup(TaskContext&) { return OkStatus(); }

  /// After the last group; may still emit.
  void Teardown(Emitter&) {}
};

template <class K, class V>
class Combiner : public Reducer<K, V, K, V> {};

}  // namespace spillway
