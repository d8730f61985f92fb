// OwnedValue: a key or value of a test as what its author declared, in place of the views that a
// running job deals in. Pure; no thread affinity.
#pragma once

#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

#include "mapreduce/abi.h"
#include "mapreduce/codec.h"
#include "mapreduce/codec_tuple.h"

namespace spillway::internal {

/// From a view to the declared type and back. Most types are their own view.
template <class T>
struct OwnedValue {
  static T Own(const View<T>& view) {
    if constexpr (std::is_same_v<T, View<T>>) {
      return view;
    } else {
      return T(view);
    }
  }
  static View<T> See(const T& value) { return View<T>(value); }
};

template <class T>
struct OwnedValue<Descending<T>> {
  static Descending<T> Own(const View<Descending<T>>& view) {
    return {OwnedValue<T>::Own(view.value)};
  }
  static View<Descending<T>> See(const Descending<T>& value) {
    return {OwnedValue<T>::See(value.value)};
  }
};

template <class A, class B>
struct OwnedValue<std::pair<A, B>> {
  static std::pair<A, B> Own(const View<std::pair<A, B>>& view) {
    return {OwnedValue<A>::Own(view.first), OwnedValue<B>::Own(view.second)};
  }
  static View<std::pair<A, B>> See(const std::pair<A, B>& value) {
    return {OwnedValue<A>::See(value.first), OwnedValue<B>::See(value.second)};
  }
};

template <class... Parts>
struct OwnedValue<std::tuple<Parts...>> {
  static std::tuple<Parts...> Own(const View<std::tuple<Parts...>>& view) {
    return std::apply(
        [](const auto&... part) { return std::tuple<Parts...>(OwnedValue<Parts>::Own(part)...); },
        view);
  }
  static View<std::tuple<Parts...>> See(const std::tuple<Parts...>& value) {
    return std::apply(
        [](const auto&... part) {
          return View<std::tuple<Parts...>>(OwnedValue<Parts>::See(part)...);
        },
        value);
  }
};

/// The bytes that the shuffle would carry for `value`.
template <class T>
std::string EncodedValue(const T& value) {
  const View<T> view = OwnedValue<T>::See(value);
  std::string bytes(Codec<T>::BytesMax(view) + SPILLWAY_PADDING_BYTES, '\0');
  bytes.resize(static_cast<std::size_t>(Codec<T>::Encode(view, bytes.data()) - bytes.data()));
  return bytes;
}

}  // namespace spillway::internal
