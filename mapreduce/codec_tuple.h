// Codecs of what is made of parts: pairs, tuples, and structs with SPILLWAY_FIELDS; and Descending,
// which turns the order of a part around. The parts stand one after the other, so the whole sorts
// by the first part, then by the second, and so on. Pure; no thread affinity.
#pragma once

#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

#include "mapreduce/codec.h"

namespace spillway {

/// A key that sorts from large to small.
template <class T>
struct Descending {
  T value;
  bool operator==(const Descending&) const = default;
};

namespace internal {

template <class T>
concept HasFields = requires(T t, const T c) {
  t.spillway_fields();
  c.spillway_fields();
};

/// The parts of a pair, tuple or struct one after the other; the last one in terminal form unless
/// the whole is itself an inner part.
template <class... Parts>
struct PartsCodec {
  using Views = std::tuple<View<Parts>...>;
  static constexpr std::size_t kParts = sizeof...(Parts);

  template <class Values>
  static std::size_t BytesMax(const Values& values) {
    return std::apply(
        [](const auto&... part) { return (std::size_t{0} + ... + Codec<Parts>::BytesMax(part)); },
        values);
  }

  template <bool kInner, std::size_t I = 0, class Values>
  static char* Encode(const Values& values, char* to) {
    if constexpr (I == kParts) {
      return to;
    } else {
      using Part = Codec<std::tuple_element_t<I, std::tuple<Parts...>>>;
      if constexpr (kInner || I + 1 < kParts) {
        to = Part::EncodeInner(std::get<I>(values), to);
      } else {
        to = Part::Encode(std::get<I>(values), to);
      }
      return Encode<kInner, I + 1>(values, to);
    }
  }

  template <bool kInner, std::size_t I = 0, class Values>
  static const char* Decode(const char* from, const char* end, Values& values,
                            DecodeScratch& scratch) {
    if constexpr (I == kParts) {
      return from;
    } else {
      using PartType = std::tuple_element_t<I, std::tuple<Parts...>>;
      View<PartType> part{};
      if constexpr (kInner || I + 1 < kParts) {
        from = Codec<PartType>::DecodeInner(from, end, &part, scratch);
      } else {
        from = Codec<PartType>::Decode(from, end, &part, scratch);
      }
      if (from == nullptr) return nullptr;
      std::get<I>(values) = part;
      return Decode<kInner, I + 1>(from, end, values, scratch);
    }
  }
};

/// Codec members over `PartsCodec`, for a type whose view is itself a pair or tuple of views.
template <class ViewType, class... Parts>
struct TupleCodec {
  using Parts_ = PartsCodec<Parts...>;
  using View = ViewType;
  static std::size_t BytesMax(const View& v) { return Parts_::BytesMax(v); }
  static char* Encode(const View& v, char* to) { return Parts_::template Encode<false>(v, to); }
  static char* EncodeInner(const View& v, char* to) { return Parts_::template Encode<true>(v, to); }
  static const char* Decode(const char* from, const char* end, View* v, DecodeScratch& scratch) {
    return Parts_::template Decode<false>(from, end, *v, scratch);
  }
  static const char* DecodeInner(const char* from, const char* end, View* v,
                                 DecodeScratch& scratch) {
    return Parts_::template Decode<true>(from, end, *v, scratch);
  }
};

template <class Tied>
struct TiedParts;
template <class... Refs>
struct TiedParts<std::tuple<Refs...>> {
  using Codec = PartsCodec<std::remove_cvref_t<Refs>...>;
};

}  // namespace internal

template <class A, class B>
struct Codec<std::pair<A, B>> : internal::TupleCodec<std::pair<View<A>, View<B>>, A, B> {};

template <class... Parts>
struct Codec<std::tuple<Parts...>> : internal::TupleCodec<std::tuple<View<Parts>...>, Parts...> {};

/// A user's struct with SPILLWAY_FIELDS. It is passed and received as itself.
template <class T>
struct Codec<T, std::enable_if_t<internal::HasFields<T>>> {
  using Parts = typename internal::TiedParts<decltype(std::declval<T&>().spillway_fields())>::Codec;
  using View = T;
  static std::size_t BytesMax(const T& v) { return Parts::BytesMax(v.spillway_fields()); }
  static char* Encode(const T& v, char* to) {
    return Parts::template Encode<false>(v.spillway_fields(), to);
  }
  static char* EncodeInner(const T& v, char* to) {
    return Parts::template Encode<true>(v.spillway_fields(), to);
  }
  static const char* Decode(const char* from, const char* end, T* v, DecodeScratch& scratch) {
    auto fields = v->spillway_fields();
    return Parts::template Decode<false>(from, end, fields, scratch);
  }
  static const char* DecodeInner(const char* from, const char* end, T* v, DecodeScratch& scratch) {
    auto fields = v->spillway_fields();
    return Parts::template Decode<true>(from, end, fields, scratch);
  }
};

/// Always self-delimiting before it is inverted: an inverted shorter string must sort behind a
/// longer one, which the end of the bytes alone could not say.
template <class T>
struct Codec<Descending<T>> {
  struct View {
    spillway::View<T> value{};
  };
  static std::size_t BytesMax(const View& v) { return Codec<T>::BytesMax(v.value); }
  static char* Encode(const View& v, char* to) { return EncodeInner(v, to); }
  static char* EncodeInner(const View& v, char* to) {
    char* end = Codec<T>::EncodeInner(v.value, to);
    for (char* p = to; p < end; ++p) *p = static_cast<char>(~*p);
    return end;
  }
  static const char* Decode(const char* from, const char* end, View* v, DecodeScratch& scratch) {
    return DecodeInner(from, end, v, scratch);
  }
  static const char* DecodeInner(const char* from, const char* end, View* v,
                                 DecodeScratch& scratch) {
    std::string& plain = scratch.Add();
    plain.assign(from, end);
    for (char& c : plain) c = static_cast<char>(~c);
    const char* plain_end =
        Codec<T>::DecodeInner(plain.data(), plain.data() + plain.size(), &v->value, scratch);
    return plain_end == nullptr ? nullptr : from + (plain_end - plain.data());
  }
};

}  // namespace spillway

/// Inside a struct: SPILLWAY_FIELDS(word, year) makes it usable as key and value; it orders like
/// the tuple of these members. The struct needs a default constructor.
#define SPILLWAY_FIELDS(...)                               \
  auto spillway_fields() { return std::tie(__VA_ARGS__); } \
  auto spillway_fields() const { return std::tie(__VA_ARGS__); }
