#include "runtime/stream/stream_lines.h"

#include <gtest/gtest.h>

#include <utility>

namespace spillway {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

/// Adds `text` in pieces of `step` bytes, each with the padding that is asked for.
Pairs RecordsOf(std::string_view text, std::size_t step, const LineKeys& keys = {}) {
  Pairs pairs;
  StreamLines lines(keys, [&](const spillway_record* records, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i)
      pairs.emplace_back(std::string(records[i].key, records[i].key_bytes),
                         std::string(records[i].value, records[i].value_bytes));
    return OkStatus();
  });
  for (std::size_t at = 0; at < text.size(); at += step) {
    std::string piece(text.substr(at, step));
    const std::size_t bytes = piece.size();
    piece.append(SPILLWAY_PADDING_BYTES, '#');
    EXPECT_TRUE(lines.Add({piece.data(), bytes}).ok());
  }
  EXPECT_TRUE(lines.Finish().ok());
  return pairs;
}

TEST(StreamLines, KeepEachLineWholeHoweverItComes) {
  const std::string_view text("a\tb\tc\nno tab\n\n\tx\nend\t\nz\0\xff\ty\0", 28);
  const Pairs expected = {{"a", "\tb\tc"}, {"no tab", ""},
                          {"", ""},        {"", "\tx"},
                          {"end", "\t"},   {std::string("z\0\xff", 3), std::string("\ty\0", 3)}};
  for (const std::size_t step : {1, 2, 3, 5, 8, 64}) EXPECT_EQ(RecordsOf(text, step), expected);
}

TEST(StreamLines, EndKeysBeforeTheSeparatorThatIsAskedFor) {
  LineKeys keys;
  keys.separator = '.';
  keys.fields = 2;
  const Pairs expected = {{"a.b", ".c.d"}, {"a.b", ""}, {"a", ""}, {"", ""}, {"a.", "."}};
  for (const std::size_t step : {1, 4, 64})
    EXPECT_EQ(RecordsOf("a.b.c.d\na.b\na\n\na..\n", step, keys), expected);
}

TEST(StreamLines, CarryTheOrderOfTheirFieldsAsKeys) {
  LineKeys keys;
  keys.order = KeyFields::Parse("-n", '\t').value();
  std::string text, order;
  for (int i = 0; i < 2000; ++i) text += std::to_string(i) + "\tx\n";
  const Pairs pairs = RecordsOf(text, 777, keys);
  ASSERT_EQ(pairs.size(), 2000u);
  keys.order.AppendOrder("1234", &order);
  EXPECT_EQ(pairs[1234], std::make_pair(order, std::string("1234\tx")));
}

TEST(StreamLines, OfNothingAreNone) { EXPECT_EQ(RecordsOf("", 1), Pairs()); }

TEST(StreamLines, HandOnMoreThanABatch) {
  std::string text;
  for (int i = 0; i < 3000; ++i) text += std::to_string(i) + "\n";
  const Pairs pairs = RecordsOf(text, 1000);
  ASSERT_EQ(pairs.size(), 3000u);
  EXPECT_EQ(pairs[2999].first, "2999");
}

TEST(StreamLines, PassOnWhatTheSinkRefuses) {
  const LineKeys keys;
  StreamLines lines(keys, [](const spillway_record*, std::size_t) { return Aborted("stop"); });
  EXPECT_EQ(lines.Add("a\n").message(), "stop");
}

}  // namespace
}  // namespace spillway
