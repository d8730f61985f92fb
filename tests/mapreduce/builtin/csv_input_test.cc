#include "mapreduce/builtin/csv_input.h"

#include <gtest/gtest.h>

namespace spillway {
namespace {

using Rows = std::vector<std::vector<std::string>>;

template <class Format>
Rows RowsOf(std::string_view text) {
  Rows rows;
  const InputBlock block = {text, 0, 0, "in.csv"};
  Format::ForEach(block, [&](const CsvRow& row, const char* at) {
    EXPECT_EQ(at, text.data() + row.offset);
    rows.emplace_back(row.fields.begin(), row.fields.end());
  });
  return rows;
}

TEST(CsvRows, HaveQuotedFieldsWithCommasQuotesAndNewlines) {
  EXPECT_EQ(RowsOf<CsvRows>("a,\"b,c\",\"say \"\"hi\"\"\"\n\"two\nlines\",,x\r\n"),
            Rows({{"a", "b,c", "say \"hi\""}, {"two\nlines", "", "x"}}));
}

TEST(CsvRows, TakeQuotesElsewhereAsTheyAre) {
  EXPECT_EQ(RowsOf<CsvRows>("a\"b,\"c\"d\"\n,\"\"\n\"x\"y,z"),
            Rows({{"a\"b", "cd\""}, {"", ""}, {"xy", "z"}}));
}

TEST(CsvRows, PassOverEmptyLinesAndByteOrderMarks) {
  EXPECT_EQ(RowsOf<CsvRows>("\xef\xbb\xbf\"a\",b\n\n\r\nc\n"), Rows({{"a", "b"}, {"c"}}));
}

TEST(CsvRows, HaveOtherDelimiters) {
  EXPECT_EQ(RowsOf<CsvRowsOf<'\t'>>("a,b\t\"c\td\"\n"), Rows({{"a,b", "c\td"}}));
}

TEST(CsvRows, KnowTheFirstOfAFile) {
  std::vector<bool> first;
  CsvRows::ForEach({"h\nx\n", 0, 0, ""},
                   [&](const CsvRow& row, const char*) { first.push_back(row.is_first()); });
  CsvRows::ForEach({"y\n", 4, 0, ""},
                   [&](const CsvRow& row, const char*) { first.push_back(row.is_first()); });
  EXPECT_EQ(first, (std::vector<bool>{true, false, false}));
}

/// Whatever prefix the reader has, the row's end is the same or more is asked for.
TEST(CsvRows, EndWhereTheyEndHoweverTheyCome) {
  const std::string_view text = "a,\"b\"\"\n\"\"c\",\"d\"\nnext\n";
  const std::uint64_t row = text.find("next");
  for (std::uint64_t bytes = 0; bytes < row; ++bytes)
    EXPECT_EQ(internal::CsvRowBytes<','>(text.data(), bytes, 0), Framing::kNeedMore) << bytes;
  for (std::uint64_t bytes = row; bytes <= text.size(); ++bytes)
    EXPECT_EQ(internal::CsvRowBytes<','>(text.data(), bytes, 0), row) << bytes;
  EXPECT_EQ(internal::CsvRowBytes<','>("a,b", 3, 1), 3u);
  EXPECT_EQ(internal::CsvRowBytes<','>("\"a\"", 3, 1), 3u);
  EXPECT_EQ(internal::CsvRowBytes<','>("\"a\"", 3, 0), Framing::kNeedMore);
  EXPECT_EQ(internal::CsvRowBytes<','>("\"a\"\"", 4, 1), Framing::kNeedMore);
}

TEST(CsvRows, AreNotSplit) {
  EXPECT_FALSE(IsSplittable(CsvRows::framing().abi));
  EXPECT_TRUE(IsSplittable(Framing::Delimited('\n').abi));
}

}  // namespace
}  // namespace spillway
