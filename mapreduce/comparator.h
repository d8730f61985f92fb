// Comparators: the order in which keys reach a reducer, and which neighbours form one group.
//
// Keys sort by their encoded bytes, which is their natural order (codec.h); Descending<T> turns a
// part around. That covers most orders at full speed. For any other order:
//
//   struct CaseBlind {                                  .SortBy<CaseBlind>()
//     static int Compare(std::string_view a, std::string_view b);    // <0, 0, >0
//   };
//
// Compare must be a strict weak order and is called from many threads. Neither it nor Same below
// may throw: the engine is in the midst of a sort, so that an exception ends the process.
//
// GroupBy decides which keys share one Reduce call; the sort then orders the values inside it
// (secondary sort). GroupByFirst does it for pairs, tuples and SPILLWAY_FIELDS structs; for others:
//
//   struct SameDay { static bool Same(const View<K>& a, const View<K>& b); };   .GroupBy<SameDay>()
//
// Keys of one group must be neighbours in the sort order and must get one partition, so a custom
// GroupBy or SortBy also names its Partitioner.
#pragma once

#include <typeinfo>

#include "mapreduce/adapter/guard.h"
#include "mapreduce/codec_tuple.h"

namespace spillway {

/// Groups by the first part of a pair, tuple or SPILLWAY_FIELDS struct.
struct GroupByFirst {};

namespace internal {

template <class K>
struct FirstPart {
  static_assert(sizeof(K) == 0, "GroupByFirst needs a pair, a tuple or a SPILLWAY_FIELDS key");
};
template <class A, class B>
struct FirstPart<std::pair<A, B>> {
  using Type = A;
};
template <class A, class... Rest>
struct FirstPart<std::tuple<A, Rest...>> {
  using Type = A;
};
template <class K>
requires HasFields<K>
struct FirstPart<K> {
  using Type =
      std::remove_cvref_t<std::tuple_element_t<0, decltype(std::declval<K&>().spillway_fields())>>;
};

/// Bytes of the encoded first part of a key; the whole key when it is malformed.
template <class K>
std::uint32_t FirstPartBytes(const char* key, std::uint32_t bytes) noexcept {
  using First = typename FirstPart<K>::Type;
  View<First> view{};
  DecodeScratch scratch;
  const char* end = Codec<First>::DecodeInner(key, key + bytes, &view, scratch);
  return end == nullptr ? bytes : static_cast<std::uint32_t>(end - key);
}

template <class K, class Compare>
int CompareKeys(const char* a, std::uint32_t a_bytes, const char* b,
                std::uint32_t b_bytes) noexcept {
  return MustNotThrow(typeid(Compare), [&]() -> int {
    DecodeScratch scratch;
    View<K> left{}, right{};
    const bool left_ok = Codec<K>::Decode(a, a + a_bytes, &left, scratch) != nullptr;
    const bool right_ok = Codec<K>::Decode(b, b + b_bytes, &right, scratch) != nullptr;
    if (!left_ok || !right_ok) return static_cast<int>(left_ok) - static_cast<int>(right_ok);
    return Compare::Compare(left, right);
  });
}

template <class K, class Same>
int SameGroupKeys(const char* a, std::uint32_t a_bytes, const char* b,
                  std::uint32_t b_bytes) noexcept {
  return MustNotThrow(typeid(Same), [&]() -> int {
    DecodeScratch scratch;
    View<K> left{}, right{};
    if (Codec<K>::Decode(a, a + a_bytes, &left, scratch) == nullptr) return 0;
    if (Codec<K>::Decode(b, b + b_bytes, &right, scratch) == nullptr) return 0;
    return Same::Same(left, right) ? 1 : 0;
  });
}

}  // namespace internal
}  // namespace spillway
