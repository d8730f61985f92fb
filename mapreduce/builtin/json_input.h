// JsonLines: a JSON value for each line, as in .jsonl and .ndjson files, with checked access to the
// fields of objects:
//
//   class Sales : public Mapper<JsonLines, std::string, double> {
//    public:
//     void Map(const JsonLine& line, Emitter& out) {
//       if (line.Has("price")) out.Emit(line.String("city"), line.Number("price"));
//     }
//   };
//
// Each line is parsed and checked before Map sees it, UTF-8 included. One that is no JSON, a field
// that is missing, and one that is of another type make a bad record: the message names file,
// offset and line, and --skip-bad passes over it. Lines of white space only are no records.
// A byte order mark at a file's start is passed over. Integers have up to 64 bits; of two fields
// with one name, the first counts. Lines are split and compressed files read as those of TextLines.
//
// Not part of mapreduce.h: include it by its name, and link simdjson, whose parser it is (Debian:
// libsimdjson-dev). One task, one thread.
#pragma once

#include <simdjson.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <string>
#include <string_view>

#include "mapreduce/adapter/guard.h"
#include "mapreduce/builtin/text_input.h"
#include "mapreduce/input_format.h"

namespace spillway {

namespace internal {

/// A parser with the value that it holds. Its memory grows with the longest line of a block.
class JsonParser {
 public:
  void Parse(std::string_view line) {
    if (line.size() > parser_.capacity()) {
      const std::size_t room = std::bit_ceil(std::max<std::size_t>(line.size(), 4096));
      Expect(parser_.allocate(room), "cannot parse the line");
    }
    // What lies behind the line may be read, as behind all of a block.
    static_assert(simdjson::SIMDJSON_PADDING <= SPILLWAY_PADDING_BYTES);
    Expect(parser_.parse(line.data(), line.size(), false).get(value_), "malformed JSON");
  }

  simdjson::dom::element value() const { return value_; }

 private:
  static void Expect(simdjson::error_code error, const char* what) {
    if (error != simdjson::SUCCESS)
      throw BadRecord(std::string(what) + ": " + simdjson::error_message(error));
  }

  simdjson::dom::parser parser_;
  simdjson::dom::element value_;
};

}  // namespace internal

/// One line. It, what its functions return, and the text of strings are valid during the call of
/// Map.
class JsonLine {
 public:
  JsonLine(const Line& line, internal::JsonParser& parser) : line_(line), parser_(parser) {}

  std::string_view text() const { return line_.text; }
  std::uint64_t offset() const { return line_.offset; }          ///< Of its first byte in the file.
  std::uint32_t file_index() const { return line_.file_index; }  ///< See TaskContext::input_path.
  std::string_view path() const { return line_.path; }

  /// Whether the field is there, and not null.
  bool Has(std::string_view name) const {
    simdjson::dom::element field;
    return Object().at_key(name).get(field) == simdjson::SUCCESS && !field.is_null();
  }

  std::string_view String(std::string_view name) const {
    return As<std::string_view>(name, "a string");
  }
  std::int64_t Integer(std::string_view name) const {
    return As<std::int64_t>(name, "an integer of 64 bits");
  }
  /// Integers are numbers, too.
  double Number(std::string_view name) const { return As<double>(name, "a number"); }
  bool Truth(std::string_view name) const { return As<bool>(name, "true or false"); }

  /// The whole value, for all that is not a field of one of these types.
  simdjson::dom::element value() const { return parser_.value(); }

 private:
  friend struct JsonLines;

  simdjson::dom::object Object() const {
    simdjson::dom::object object;
    if (value().get(object) != simdjson::SUCCESS)
      throw BadRecord(std::string("the line is ") + TypeName(value()) + ", not an object");
    return object;
  }

  template <class T>
  T As(std::string_view name, const char* wanted) const {
    simdjson::dom::element field;
    if (Object().at_key(name).get(field) != simdjson::SUCCESS)
      throw BadRecord("the field '" + std::string(name) + "' is missing");
    T value;
    if (field.get(value) != simdjson::SUCCESS)
      throw BadRecord("the field '" + std::string(name) + "' is " + TypeName(field) + ", not " +
                      wanted);
    return value;
  }

  static const char* TypeName(simdjson::dom::element value) {
    using simdjson::dom::element_type;
    switch (value.type()) {
      case element_type::ARRAY: return "an array";
      case element_type::OBJECT: return "an object";
      case element_type::INT64: return "an integer";
      case element_type::UINT64: return "an integer above 2^63";
      case element_type::DOUBLE: return "a number with a fraction or an exponent";
      case element_type::STRING: return "a string";
      case element_type::BOOL: return "true or false";
      case element_type::NULL_VALUE: return "null";
    }
    return "something else";
  }

  const Line& line_;
  internal::JsonParser& parser_;
};

struct JsonLines {
  using Record = JsonLine;
  static constexpr const char* kName = "JsonLines";
  static Framing framing() { return TextLines::framing(); }

  template <class Each>
  static void ForEach(const InputBlock& block, Each&& each) {
    internal::JsonParser parser;
    TextLines::ForEach(block, [&](const Line& line, const char* at) {
      if (line.text.find_first_not_of(" \t\r") != std::string_view::npos)
        each(JsonLine(line, parser), at);
    });
  }

  static void Check(const JsonLine& line) {
    std::string_view text = line.text();
    if (line.offset() == 0 && text.starts_with(internal::kByteOrderMark))
      text.remove_prefix(internal::kByteOrderMark.size());
    line.parser_.Parse(text);
  }
};

}  // namespace spillway
