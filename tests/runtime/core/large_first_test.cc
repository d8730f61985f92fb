#include "runtime/core/large_first.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace spillway {
namespace {

std::string Sizes(const std::vector<std::uint64_t>& bytes) {
  std::string sizes;
  for (const std::uint64_t size : bytes) sizes.push_back(static_cast<char>(SizeByteOf(size)));
  return sizes;
}

/// The order in which they come; each is taken when it is named.
std::vector<std::uint32_t> Order(LargeFirst& large, std::uint32_t reduces) {
  IndexSet waiting(reduces);
  waiting.Fill();
  std::vector<std::uint32_t> order;
  for (;;) {
    const std::uint32_t first = large.First(waiting);
    if (first == IndexSet::kNone) return order;
    EXPECT_EQ(large.First(waiting), first) << "naming one is not taking it";
    order.push_back(first);
    waiting.Erase(first);
  }
}

TEST(SizeByte, IsRightWithinAQuarter) {
  for (std::uint64_t bytes = 0; bytes < 10'000; ++bytes) {
    const std::uint64_t back = BytesOfSize(SizeByteOf(bytes));
    EXPECT_LE(back, bytes);
    EXPECT_GT(back + back / 4 + 1, bytes) << bytes;
    EXPECT_LE(SizeByteOf(bytes), SizeByteOf(bytes + 1));
  }
  EXPECT_EQ(SizeByteOf(UINT64_MAX), 251);
  for (int size = 0; size < 256; ++size)
    EXPECT_LE(BytesOfSize(static_cast<std::uint8_t>(size)), kSizedBytesMax);
}

TEST(LargeFirst, KeepsItsSumsWithinBoundsWhateverWorkersSay) {
  LargeFirst large(8, 2);
  for (std::uint32_t map = 0; map < 8; ++map) large.Add(map, map == 0 ? "\xF8\xF8" : "\xFF\x01");
  EXPECT_EQ(large.bytes()[0], kSizedBytesMax);
  EXPECT_EQ(large.bytes()[1], kSizedBytesMax);
  EXPECT_EQ(large.all_bytes(), 2 * kSizedBytesMax);
}

TEST(LargeFirst, NamesTheLargestFirstAndNoOthers) {
  LargeFirst large(2, 6);
  EXPECT_TRUE(Order(large, 6).empty());
  large.Rank();
  EXPECT_TRUE(Order(large, 6).empty());
  large.Add(0, Sizes({100, 100, 500, 100, 100, 900}));
  large.Add(1, Sizes({100, 100, 900, 100, 110, 900}));
  EXPECT_TRUE(Order(large, 6).empty()) << "not ranked yet";
  large.Rank();
  EXPECT_EQ(Order(large, 6), (std::vector<std::uint32_t>{5, 2}));
  large.Rank();
  EXPECT_EQ(Order(large, 6), (std::vector<std::uint32_t>{5, 2}));
}

TEST(LargeFirst, AMapTaskCountsOnceAndRubbishNever) {
  LargeFirst large(1, 2);
  large.Add(0, Sizes({10, 1}));
  large.Add(0, Sizes({1, 1'000'000}));
  large.Add(7, Sizes({1, 1'000'000}));
  large.Add(0, "");
  large.Add(0, Sizes({1, 1, 1}));
  large.Rank();
  EXPECT_EQ(Order(large, 2), (std::vector<std::uint32_t>{0}));
}

TEST(LargeFirst, PartitionsOfOneSizeStayInTheirOrder) {
  LargeFirst large(1, 4);
  large.Add(0, Sizes({1'000, 1'200, 1'100, 900}));
  large.Rank();
  EXPECT_TRUE(Order(large, 4).empty());
}

TEST(LargeFirst, RemembersABoundedNumber) {
  constexpr std::uint32_t kReduces = 4'000;
  LargeFirst large(1, kReduces);
  std::vector<std::uint64_t> sizes(kReduces, 0);
  for (std::uint32_t i = 0; i < kReduces / 2; ++i) sizes[i] = 1'000;
  large.Add(0, Sizes(sizes));
  large.Rank();
  EXPECT_EQ(Order(large, kReduces).size(), LargeFirst::kRankedMax);
}

}  // namespace
}  // namespace spillway
