// TextOutput: lines `key TAB value`. Strings as they are, numbers in decimal (doubles in the
// shortest form that reads back the same), the parts of pairs, tuples and SPILLWAY_FIELDS structs
// parted by TAB, Nothing as nothing (and no TAB before it). RawOutput: key and value bytes one
// after the other with nothing between or behind, for binary records.
#pragma once

#include <type_traits>

#include "mapreduce/codec_tuple.h"
#include "mapreduce/output_format.h"

namespace spillway {

class TextOutput {
 public:
  static constexpr const char* kName = "TextOutput";

  template <class Key, class Value>
  void Write(const Key& key, const Value& value, OutputBuffer& out) {
    Print(key, out);
    if constexpr (!std::is_same_v<Value, Nothing>) {
      if constexpr (!std::is_same_v<Key, Nothing>) out.Append('\t');
      Print(value, out);
    }
    out.Append('\n');
  }

 private:
  template <class T>
  static void Print(const T& value, OutputBuffer& out) {
    if constexpr (std::is_same_v<T, Nothing>) {
    } else if constexpr (std::is_convertible_v<const T&, std::string_view>) {
      out.Append(std::string_view(value));
    } else if constexpr (std::is_same_v<T, bool>) {
      out.Append(value ? '1' : '0');
    } else if constexpr (std::is_same_v<T, char>) {
      out.Append(value);
    } else if constexpr (std::is_enum_v<T>) {
      out.AppendNumber(static_cast<std::underlying_type_t<T>>(value));
    } else if constexpr (std::is_arithmetic_v<T>) {
      out.AppendNumber(value);
    } else if constexpr (requires { value.AppendTo(out); }) {
      value.AppendTo(out);  // a type that knows its own text
    } else if constexpr (internal::HasFields<T>) {
      PrintParts(value.spillway_fields(), out);
    } else if constexpr (requires { std::tuple_size<T>::value; }) {
      PrintParts(value, out);
    } else if constexpr (requires { value.value; }) {
      Print(value.value, out);  // Descending
    } else {
      static_assert(sizeof(T) == 0,
                    "TextOutput cannot print this type: give it AppendTo(OutputBuffer&) const, or "
                    "write an OutputFormat (see mapreduce/output_format.h)");
    }
  }

  template <class Parts>
  static void PrintParts(const Parts& parts, OutputBuffer& out) {
    std::apply(
        [&](const auto& first, const auto&... rest) {
          Print(first, out);
          ((out.Append('\t'), Print(rest, out)), ...);
        },
        parts);
  }
};

class RawOutput {
 public:
  static constexpr const char* kName = "RawOutput";

  template <class Value>
  void Write(std::string_view key, const Value& value, OutputBuffer& out) {
    out.Append(key);
    if constexpr (!std::is_same_v<Value, Nothing>) out.Append(std::string_view(value));
  }
};

}  // namespace spillway
