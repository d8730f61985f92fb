// Codec<T>: a typed key or value as bytes and back. The encodings keep the natural order: for any
// two values a < b exactly when the bytes of a come before the bytes of b, so the engine sorts
// with memcmp and never calls user code to compare.
//
//   integers, enums, bool   big-endian, sign bit flipped; char counts as an integer
//   float, double           big-endian, sign folded (-inf < ... < +inf < NaN; -0.0 < 0.0)
//   strings                 the bytes as they are; inside a pair or tuple, unless last, NUL is
//                           written as 00 FF and the end as 00 00
//   Nothing                 no bytes
//   pair, tuple             codec_tuple.h; the parts one after the other
//   your struct             codec_tuple.h; SPILLWAY_FIELDS(a, b) inside it: like the tuple (a, b)
//   Descending<T>           codec_tuple.h; T with every byte inverted
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
#include <type_traits>

#include "mapreduce/base/coding.h"

namespace spillway {

/// The absent value (or key): takes no bytes, prints nothing.
struct Nothing {
  bool operator==(const Nothing&) const = default;
};

/// Keeps decoded strings that could not be viewed in place. Views into it live until Clear.
class DecodeScratch {
 public:
  std::string& Add() { return strings_.emplace_back(); }
  void Clear() {
    if (!strings_.empty()) [[unlikely]]
      strings_.clear();
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
                "specialise spillway::Codec<T> (see mapreduce/codec.h and codec_tuple.h)");
};

/// What users pass and get for a declared type: std::string is seen as std::string_view.
template <class T>
using View = typename Codec<T>::View;

namespace internal {

/// Unsigned integer of T's size; std::make_unsigned has none for bool.
template <class T>
using UnsignedOf =
    typename std::conditional_t<std::is_same_v<T, bool>, std::type_identity<std::uint8_t>,
                                std::make_unsigned<T>>::type;

/// The unsigned number whose big-endian bytes sort like `value` does.
template <class T>
auto ToOrdered(T value) {
  if constexpr (std::is_floating_point_v<T>) {
    using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
    const Bits bits = std::bit_cast<Bits>(value);
    constexpr Bits kSign = Bits{1} << (sizeof(Bits) * 8 - 1);
    return static_cast<Bits>((bits & kSign) != 0 ? ~bits : bits | kSign);
  } else {
    using Bits = UnsignedOf<T>;
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
concept Number = (std::integral<T> || std::floating_point<T>)&&sizeof(T) <= 8;

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

}  // namespace spillway
