// Codec<T>: a typed key or value as bytes and back. The encodings keep the natural order: for any
// two values a < b exactly when the bytes of a come before the bytes of b, so the engine sorts
// with memcmp and never calls user code to compare.
//
//   integers, enums, bool   big-endian, sign bit flipped
//   float, double           big-endian, sign folded (-inf < ... < +inf < NaN; -0.0 < 0.0)
//   strings                 the bytes as they are; inside a pair or tuple, unless last, NUL is
//                           written as 00 FF and the end as 00 00
//   pair, tuple             the parts one after the other
//   Descending<T>           T with every byte inverted
//   Nothing                 no bytes
//   your struct             SPILLWAY_FIELDS(a, b) inside it: like the tuple (a, b)
//   protobuf messages       codec_protobuf.h; equal messages have equal bytes, no natural order
//
// A type of your own can also specialise Codec with the same members as Codec<std::string>.
#pragma once

#include <concepts>
#include <cstdint>
#include <cstring>
#include <deque>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "mapreduce/base/coding.h"

namespace spillway {

/// The absent value (or key): takes no bytes, prints nothing.
struct Nothing {
  bool operator==(const Nothing&) const = default;
};

/// A key that sorts from large to small.
template <class T>
struct Descending {
  T value;
};

/// Keeps decoded strings that could not be viewed in place. Views into it live until Clear.
class DecodeScratch {
 public:
  std::string& Add() { return strings_.emplace_back(); }
  void Clear() {
    if (!strings_.empty()) [[unlikely]] strings_.clear();
  }

 private:
  std::deque<std::string> strings_;
};

/// Members of every Codec<T>:
///   View             what Emit takes and Reduce gets; views into the bytes where it can
///   BytesMax(view)   room that either Encode needs at most
///   Encode           terminal form: the end of the bytes is the end of the value
///   EncodeInner      self-delimiting form, for all but the last part of a pair or tuple
///   Decode[Inner]    the end of what was read, or null when the bytes are malformed
template <class T, class = void>
struct Codec {
  static_assert(sizeof(T) == 0,
                "no Codec for this type: put SPILLWAY_FIELDS(members...) inside the struct, or "
                "specialise spillway::Codec<T> (see mapreduce/codec.h)");
};

/// What users pass and get for a declared type: std::string is seen as std::string_view.
template <class T>
using View = typename Codec<T>::View;

namespace internal {

/// The unsigned number whose big-endian bytes sort like `value` does.
template <class T>
auto ToOrdered(T value) {
  if constexpr (std::is_floating_point_v<T>) {
    using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
    const Bits bits = std::bit_cast<Bits>(value);
    constexpr Bits kSign = Bits{1} << (sizeof(Bits) * 8 - 1);
    return static_cast<Bits>((bits & kSign) != 0 ? ~bits : bits | kSign);
  } else {
    using Bits = std::make_unsigned_t<T>;
    constexpr Bits kSign = std::is_signed_v<T> ? Bits(Bits{1} << (sizeof(Bits) * 8 - 1)) : Bits{0};
    return static_cast<Bits>(static_cast<Bits>(value) ^ kSign);
  }
}

template <class T, class Bits>
T FromOrdered(Bits bits) {
  constexpr Bits kTop = Bits(Bits{1} << (sizeof(Bits) * 8 - 1));
  if constexpr (std::is_floating_point_v<T>) {
    return std::bit_cast<T>(static_cast<Bits>((bits & kTop) != 0 ? bits ^ kTop : ~bits));
  } else {
    return static_cast<T>(std::is_signed_v<T> ? Bits(bits ^ kTop) : bits);
  }
}

template <class Bits>
Bits SwapBytes(Bits bits) {
  if constexpr (sizeof(Bits) == 1) return bits;
  if constexpr (sizeof(Bits) == 2) return __builtin_bswap16(bits);
  if constexpr (sizeof(Bits) == 4) return __builtin_bswap32(bits);
  if constexpr (sizeof(Bits) == 8) return __builtin_bswap64(bits);
}

template <class T>
concept Number = (std::integral<T> || std::floating_point<T>) && sizeof(T) <= 8;

template <class T>
concept StringLike = std::same_as<T, std::string> || std::same_as<T, std::string_view>;

/// Bytes in an escaped string: doubles every NUL and adds the terminator.
inline std::size_t EscapedBytesMax(std::string_view text) { return 2 * text.size() + 2; }

inline char* PutEscaped(std::string_view text, char* to) {
  for (const char c : text) {
    *to++ = c;
    if (c == '\0') *to++ = '\xff';
  }
  *to++ = '\0';
  *to++ = '\0';
  return to;
}

/// Reads an escaped string; copies to `scratch` only when it holds a NUL.
inline const char* GetEscaped(const char* from, const char* end, std::string_view* text,
                              DecodeScratch& scratch) {
  const char* part = from;
  std::string* copy = nullptr;
  while (true) {
    const auto room = static_cast<std::size_t>(end - part);
    const char* nul = room == 0 ? nullptr : static_cast<const char*>(std::memchr(part, 0, room));
    if (nul == nullptr || nul + 1 >= end) return nullptr;
    if (nul[1] == '\0') {
      if (copy == nullptr) {
        *text = {from, static_cast<std::size_t>(nul - from)};
      } else {
        copy->append(part, static_cast<std::size_t>(nul - part));
        *text = *copy;
      }
      return nul + 2;
    }
    if (nul[1] != '\xff') return nullptr;
    if (copy == nullptr) copy = &scratch.Add();
    copy->append(part, static_cast<std::size_t>(nul + 1 - part));
    part = nul + 2;
  }
}

template <class T>
concept HasFields = requires(T t, const T c) {
  t.spillway_fields();
  c.spillway_fields();
};

}  // namespace internal

template <class T>
struct Codec<T, std::enable_if_t<internal::Number<T>>> {
  using View = T;
  static constexpr std::size_t kFixedBytes = sizeof(T);
  static std::size_t BytesMax(T) { return sizeof(T); }
  static char* Encode(T value, char* to) {
    return StoreLittle(to, internal::SwapBytes(internal::ToOrdered(value)));
  }
  static char* EncodeInner(T value, char* to) { return Encode(value, to); }
  static const char* DecodeInner(const char* from, const char* end, T* value, DecodeScratch&) {
    if (static_cast<std::size_t>(end - from) < sizeof(T)) return nullptr;
    using Bits = decltype(internal::ToOrdered(T{}));
    *value = internal::FromOrdered<T>(internal::SwapBytes(LoadLittle<Bits>(from)));
    return from + sizeof(T);
  }
  static const char* Decode(const char* from, const char* end, T* value, DecodeScratch& scratch) {
    return DecodeInner(from, end, value, scratch);
  }
};

template <class T>
struct Codec<T, std::enable_if_t<std::is_enum_v<T>>> {
  using Number = std::underlying_type_t<T>;
  using View = T;
  static constexpr std::size_t kFixedBytes = sizeof(T);
  static std::size_t BytesMax(T) { return sizeof(T); }
  static char* Encode(T v, char* to) { return Codec<Number>::Encode(static_cast<Number>(v), to); }
  static char* EncodeInner(T v, char* to) { return Encode(v, to); }
  static const char* DecodeInner(const char* from, const char* end, T* value,
                                 DecodeScratch& scratch) {
    Number number{};
    from = Codec<Number>::Decode(from, end, &number, scratch);
    *value = static_cast<T>(number);
    return from;
  }
  static const char* Decode(const char* from, const char* end, T* value, DecodeScratch& scratch) {
    return DecodeInner(from, end, value, scratch);
  }
};

template <>
struct Codec<std::string> {
  using View = std::string_view;
  static std::size_t BytesMax(View text) { return internal::EscapedBytesMax(text); }
  static char* Encode(View text, char* to) {
    if (!text.empty()) std::memcpy(to, text.data(), text.size());
    return to + text.size();
  }
  static char* EncodeInner(View text, char* to) { return internal::PutEscaped(text, to); }
  static const char* Decode(const char* from, const char* end, View* text, DecodeScratch&) {
    *text = {from, static_cast<std::size_t>(end - from)};
    return end;
  }
  static const char* DecodeInner(const char* from, const char* end, View* text,
                                 DecodeScratch& scratch) {
    return internal::GetEscaped(from, end, text, scratch);
  }
};

template <>
struct Codec<std::string_view> : Codec<std::string> {};

template <>
struct Codec<Nothing> {
  using View = Nothing;
  static constexpr std::size_t kFixedBytes = 0;
  static std::size_t BytesMax(Nothing) { return 0; }
  static char* Encode(Nothing, char* to) { return to; }
  static char* EncodeInner(Nothing, char* to) { return to; }
  static const char* Decode(const char*, const char* end, Nothing*, DecodeScratch&) { return end; }
  static const char* DecodeInner(const char* from, const char*, Nothing*, DecodeScratch&) {
    return from;
  }
};

namespace internal {

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
#define SPILLWAY_FIELDS(...)                                       \
  auto spillway_fields() { return std::tie(__VA_ARGS__); }         \
  auto spillway_fields() const { return std::tie(__VA_ARGS__); }
