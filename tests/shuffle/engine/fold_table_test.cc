#include "shuffle/engine/fold_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "shuffle/store/memory_budget.h"
#include "tests/shuffle/engine/fold_fixture.h"

namespace spillway {
namespace {

class Region {
 public:
  explicit Region(std::uint64_t bytes)
      : budget_(bytes), buffer_(std::move(Buffer::Allocate(budget_, bytes)).value()) {}
  std::span<char> span() const { return {buffer_.data(), buffer_.size()}; }

 private:
  MemoryBudget budget_;
  Buffer buffer_;
};

States Contents(FoldTable& table) {
  States states;
  for (const FoldSlot& slot : table.Compact())
    states.emplace(slot.key_view(),
                   std::string(slot.state_data(table.state_bytes()), table.state_bytes()));
  return states;
}

TEST(FoldTable, HoldsTheFoldOfWhatItTook) {
  for (const FoldCase& fold : AllFolds()) {
    for (const std::uint64_t bytes : {16 << 10, 64 << 10, 300'000, 8 << 20}) {
      SCOPED_TRACE(testing::Message() << fold.name << " bytes " << bytes << " seed 1");
      std::mt19937_64 random(1);
      const Region region(bytes);
      FoldTable table(fold.options, region.span());
      for (int round = 0; round < 3; ++round) {
        FoldInput input(fold.options.state_bytes);
        for (int i = 0; i < 20'000; ++i) input.Add(RandomKey(random, 40), random);
        const std::vector<Record> records = input.records();
        const std::size_t taken = table.Fold(records);
        ASSERT_GT(taken, 0u);
        EXPECT_EQ(taken < records.size(), bytes < 8 << 20);

        States expected;
        for (std::size_t i = 0; i < taken; ++i)
          FoldInto(fold.options, expected, std::string(KeyOf(records[i])),
                   std::string(StateData(records[i], fold.options.state_bytes),
                               fold.options.state_bytes));
        EXPECT_EQ(table.size(), expected.size());
        EXPECT_EQ(Contents(table), expected);
        EXPECT_GE(table.spare().size(), table.size() * 16);
        table.Clear();
        EXPECT_EQ(table.size(), 0u);
      }
    }
  }
}

TEST(FoldTable, IsFullAtTheSameRecordWhateverTheHash) {
  for (const std::uint64_t seed : {2, 3, 4}) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    std::mt19937_64 random(seed);
    FoldInput input(8);
    for (int i = 0; i < 50'000; ++i) input.Add(RandomKey(random, 30), random);
    const std::vector<Record> records = input.records();
    const Region one(100'000), other(100'000);
    FoldTable fast({}, one.span());
    FoldTable portable({.portable = true}, other.span());
    const std::size_t taken = fast.Fold(records);
    EXPECT_LT(taken, records.size());
    EXPECT_EQ(portable.Fold(records), taken);
  }
}

TEST(FoldTable, AnEmptyTableTakesWhateverFits) {
  for (const FoldCase& fold : AllFolds()) {
    const Region region(64 << 10);
    FoldTable table(fold.options, region.span());
    FoldInput fill(fold.options.state_bytes);
    std::mt19937_64 random(5);
    for (int i = 0; i < 5000; ++i) fill.Add("k" + std::to_string(i), random);
    for (std::size_t bytes = 0; bytes < 70'000; bytes += 1111) {
      // A round of short keys before, so that slots have taken what they can.
      const std::vector<Record> filling = fill.records();
      EXPECT_LT(table.Fold(filling), filling.size());
      table.Clear();
      FoldInput input(fold.options.state_bytes);
      input.Add(std::string(bytes, 'x'), random);
      for (int i = 0; i < 2000; ++i) input.Add("y", random);
      const std::vector<Record> records = input.records();
      const bool fits = table.Fits(records[0]);
      EXPECT_EQ(fits, bytes + fold.options.state_bytes < 16'000) << bytes;
      if (fits) {
        EXPECT_EQ(table.Fold(records), records.size()) << bytes;
      }
      table.Clear();
    }
  }
}

TEST(FoldTable, ASmallInputTouchesLittleMemory) {
  const Region region(32 << 20);
  FoldTable table({}, region.span());
  FoldInput input(8);
  for (int i = 0; i < 1000; ++i) input.AddOne("word" + std::to_string(i));
  table.Fold(input.records());
  EXPECT_LE(table.slot_count() * sizeof(FoldSlot), 128u << 10);
}

TEST(FoldTable, GrowthKeepsEveryEntryWhereLookupsFindIt) {
  // Many tables, so that some collide in their first and last slots when they grow.
  for (std::uint64_t seed = 100; seed < 200; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    std::mt19937_64 random(seed);
    const Region region(64 << 10);
    FoldTable table({.portable = seed % 2 == 0}, region.span());
    const std::uint64_t slots_before = table.slot_count();
    FoldInput input(8);
    for (int i = 0; i < 3000; ++i)
      input.AddOne(
          std::to_string(random() % std::max<std::uint64_t>(1, static_cast<unsigned>(i) / 3)));
    ASSERT_EQ(table.Fold(input.records()), input.size());
    EXPECT_GT(table.slot_count(), slots_before);
    EXPECT_EQ(Contents(table), input.Folded({}));
  }
}

}  // namespace
}  // namespace spillway
