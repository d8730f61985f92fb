// CsvRows: rows of comma-separated values, whose quoted fields may hold commas, quotes and
// newlines. The dialect is that of RFC 4180 and of Python's csv module:
// - a field that begins with '"' ends with the next '"' that is not doubled; "" stands for one '"';
// - a '"' elsewhere is an ordinary character; what stands behind a closing quote is part of the
// field;
// - a row ends with \n or \r\n; empty lines are no rows; a UTF-8 byte order mark before
//   a row is passed over.
// A file that ends within quotes is bad data. Whether a byte is quoted can only be known from the
// file's start, so that each file is one split. The first row of a file has offset 0: pass over it
// when it is a header. CsvRowsOf<'\t'> and others have another delimiter. Pure.
#pragma once

#include <cstdint>
#include <cstring>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "mapreduce/input_format.h"

namespace spillway {

/// One row. Its fields are views, valid during the call of Map.
struct CsvRow {
  const std::vector<std::string_view>& fields;  ///< At least one.
  std::uint64_t offset;                         ///< Of its first byte in the file.
  std::uint32_t file_index;                     ///< See TaskContext::input_path.
  std::string_view path;

  /// Whether it is the file's first: the header, where there is one.
  bool is_first() const { return offset == 0; }
};

namespace internal {

/// Bytes of the row that begins at data, its newline included; 0 when it does not end there.
template <char kDelimiter>
std::uint64_t CsvRowBytes(const char* data, std::uint64_t bytes, int at_end) {
  std::uint64_t at = 0;
  if (std::string_view(data, bytes).starts_with(kByteOrderMark)) at = kByteOrderMark.size();
  bool field_begins = true;
  while (at < bytes) {
    const char c = data[at++];
    if (c == '\n') return at;
    if (c == '"' && field_begins) {
      // To the closing quote. A doubled one looks like an end and a beginning.
      do {
        const auto* quote = static_cast<const char*>(std::memchr(data + at, '"', bytes - at));
        if (quote == nullptr) return Framing::kNeedMore;
        at = static_cast<std::uint64_t>(quote - data) + 1;
        if (at == bytes) return at_end != 0 ? at : Framing::kNeedMore;
      } while (data[at] == '"' && ++at <= bytes);
    }
    field_begins = c == kDelimiter;
  }
  return at_end != 0 ? at : Framing::kNeedMore;
}

/// Takes rows apart; keeps the fields of one row.
template <char kDelimiter>
class CsvFields {
 public:
  const std::vector<std::string_view>& Split(std::string_view row) {
    fields_.clear();
    unquoted_.clear();
    for (std::size_t at = 0; at <= row.size();) at = AddField(row, at);
    return fields_;
  }

 private:
  /// Adds the field that begins at `at`; where the next one begins, beyond the end if none does.
  std::size_t AddField(std::string_view row, std::size_t at) {
    if (at == row.size() || row[at] != '"') {
      const std::size_t end = std::min(row.find(kDelimiter, at), row.size());
      fields_.push_back(row.substr(at, end - at));
      return end + 1;
    }
    std::size_t close = row.find('"', at + 1);
    const bool simple = close != std::string_view::npos &&
                        (close + 1 == row.size() || row[close + 1] == kDelimiter);
    if (simple) {
      fields_.push_back(row.substr(at + 1, close - at - 1));
      return close + 2;
    }
    std::string& text = unquoted_.emplace_back();
    for (++at; close != std::string_view::npos; close = row.find('"', at)) {
      text.append(row.substr(at, close - at));
      at = close + 1;
      if (at == row.size() || row[at] != '"') break;
      text.push_back('"');
      ++at;
    }
    const std::size_t end = std::min(row.find(kDelimiter, at), row.size());
    text.append(row.substr(at, end - at));
    fields_.push_back(text);
    return end + 1;
  }

  std::vector<std::string_view> fields_;
  std::deque<std::string> unquoted_;  ///< Fields that could not be viewed in place.
};

}  // namespace internal

template <char kDelimiter = ','>
struct CsvRowsOf {
  static_assert(kDelimiter != '"' && kDelimiter != '\n' && kDelimiter != '\r');
  using Record = CsvRow;
  static constexpr const char* kName = "CsvRows";
  static Framing framing() { return Framing::WholeFiles(&internal::CsvRowBytes<kDelimiter>); }

  template <class Each>
  static void ForEach(const InputBlock& block, Each&& each) {
    internal::CsvFields<kDelimiter> fields;
    for (std::size_t at = 0; at < block.bytes.size();) {
      const std::string_view rest = block.bytes.substr(at);
      auto bytes =
          static_cast<std::size_t>(internal::CsvRowBytes<kDelimiter>(rest.data(), rest.size(), 1));
      if (bytes == Framing::kNeedMore) bytes = rest.size();  // The reader would have refused it.
      std::string_view row = rest.substr(0, bytes);
      if (row.ends_with('\n')) row.remove_suffix(1);
      if (row.ends_with('\r')) row.remove_suffix(1);
      if (row.starts_with(internal::kByteOrderMark))
        row.remove_prefix(internal::kByteOrderMark.size());
      if (!row.empty())
        each(CsvRow{fields.Split(row), block.file_offset + at, block.file_index, block.path},
             rest.data());
      at += bytes;
    }
  }
};

using CsvRows = CsvRowsOf<>;

}  // namespace spillway
