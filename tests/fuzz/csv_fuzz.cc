// Any text as CSV: rows end where they end however much of the file is there, and their fields are
// those that a reader finds which looks at one character after the other.
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "mapreduce/base/check.h"
#include "mapreduce/builtin/csv_input.h"

using namespace spillway;

namespace {

constexpr char kDelimiter = ',';
using Fields = std::vector<std::string>;

/// The fields of the row at text[at], and `at` behind it. False: the file ends within quotes.
bool NextRow(std::string_view text, std::size_t& at, Fields& fields) {
  enum class Where { kStart, kPlain, kQuoted, kQuote } where = Where::kStart;
  if (text.substr(at).starts_with("\xef\xbb\xbf")) at += 3;
  fields.assign(1, "");
  bool plain =
      true;  // The last character stood in no quotes: a \r that ends the row is none of it.
  bool ended = false;
  const auto add = [&](char c, bool is_plain) {
    fields.back() += c;
    plain = is_plain;
  };
  while (at < text.size() && !ended) {
    const char c = text[at++];
    if (where == Where::kQuoted && c != '"') {
      add(c, false);
    } else if (where == Where::kQuoted) {
      where = Where::kQuote;
    } else if (where == Where::kQuote && c == '"') {
      add(c, false);
      where = Where::kQuoted;
    } else if (where == Where::kStart && c == '"') {
      where = Where::kQuoted;
    } else if (c == '\n') {
      ended = true;
    } else if (c == kDelimiter) {
      fields.emplace_back();
      where = Where::kStart;
    } else {
      add(c, true);
      where = Where::kPlain;
    }
  }
  if (where == Where::kQuoted) return false;
  if (plain && fields.back().ends_with('\r')) fields.back().pop_back();
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  // Of its own size, so that a byte read beyond it is noticed.
  const std::unique_ptr<char[]> copy(new char[size == 0 ? 1 : size]);
  std::copy(data, data + size, copy.get());
  const std::string_view text(copy.get(), size);

  std::vector<Fields> expected;
  std::size_t whole = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t begin = at;
    Fields fields;
    const std::uint64_t bytes =
        internal::CsvRowBytes<kDelimiter>(text.data() + begin, size - begin, 1);
    if (!NextRow(text, at, fields)) {
      SPILLWAY_CHECK_EQ(bytes, Framing::kNeedMore);
      break;
    }
    SPILLWAY_CHECK_EQ(bytes, at - begin);
    // Of a prefix it says the same or asks for more.
    for (const std::size_t part : {bytes / 2, bytes - 1, bytes}) {
      const auto of_part = internal::CsvRowBytes<kDelimiter>(text.data() + begin, part, 0);
      SPILLWAY_CHECK(of_part == bytes || of_part == Framing::kNeedMore);
    }
    if (fields != Fields{""}) expected.push_back(std::move(fields));
    whole = at;
  }

  std::vector<Fields> rows;
  CsvRowsOf<kDelimiter>::ForEach({text.substr(0, whole), 0, 0, "fuzzed.csv"},
                                 [&](const CsvRow& row, const char* at) {
                                   SPILLWAY_CHECK_EQ(at, text.data() + row.offset);
                                   rows.emplace_back(row.fields.begin(), row.fields.end());
                                 });
  // A row of one empty field in quotes is no empty line.
  std::erase(rows, Fields{""});
  SPILLWAY_CHECK(rows == expected);
  return 0;
}
