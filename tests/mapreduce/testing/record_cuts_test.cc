#include "mapreduce/testing/record_cuts.h"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

namespace spillway::internal {
namespace {

std::vector<std::uint64_t> AllCuts(const Framing& framing, std::string_view input) {
  RecordCuts cuts(framing.abi, input);
  std::vector<std::uint64_t> places;
  for (std::uint64_t at = 1; at <= input.size(); ++at) places.push_back(cuts.CutAt(at).value());
  return places;
}

TEST(RecordCuts, BehindDelimiters) {
  EXPECT_EQ(AllCuts(Framing::Delimited('\n'), "a\nbc\n\nd"),
            (std::vector<std::uint64_t>{2, 2, 5, 5, 5, 6, 7}));
}

TEST(RecordCuts, BehindSpaces) {
  EXPECT_EQ(AllCuts(Framing::Spaces(), "ab \tc"), (std::vector<std::uint64_t>{3, 3, 3, 4, 5}));
}

TEST(RecordCuts, AtMultiplesOfFixedRecords) {
  EXPECT_EQ(AllCuts(Framing::Fixed(2), "abcdef"), (std::vector<std::uint64_t>{2, 2, 4, 4, 6, 6}));
  const Framing three = Framing::Fixed(3);
  RecordCuts cuts(three.abi, "abcd");
  EXPECT_EQ(cuts.CutAt(1).status().code(), Code::kBadData);
}

/// A byte that says how many follow.
std::uint64_t CountedBytes(const char* data, std::uint64_t bytes, int) {
  const auto all = static_cast<std::uint64_t>(static_cast<unsigned char>(data[0])) + 1;
  return all > bytes ? Framing::kBadData : all;
}

TEST(RecordCuts, WalkCustomRecords) {
  const Framing framing = Framing::Custom(nullptr, &CountedBytes);
  const std::string_view input("\1a\2bc\0\1d", 8);
  EXPECT_EQ(AllCuts(framing, input), (std::vector<std::uint64_t>{2, 2, 5, 5, 5, 6, 8, 8}));
  RecordCuts back(framing.abi, input);
  EXPECT_EQ(back.CutAt(6).value(), 6u);
  EXPECT_EQ(back.CutAt(1).value(), 2u);
  RecordCuts torn(framing.abi, "\1a\5b");
  EXPECT_EQ(torn.CutAt(3).status().code(), Code::kBadData);
}

}  // namespace
}  // namespace spillway::internal
