#include "shuffle/engine/fold_collector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "shuffle/engine/run_folder.h"
#include "tests/shuffle/engine/fold_fixture.h"

namespace spillway {
namespace {

constexpr std::uint64_t kTinyBytes = 64 << 10;

// `distinct` keys of up to 40 bytes, each several times, shuffled.
FoldInput RandomInput(std::uint64_t seed, std::size_t records, std::size_t distinct,
                      std::uint32_t state_bytes, std::size_t key_bytes_max = 40) {
  std::mt19937_64 random(seed);
  std::vector<std::string> keys(distinct);
  for (std::string& key : keys) key = RandomKey(random, key_bytes_max);
  FoldInput input(state_bytes);
  for (std::size_t i = 0; i < records; ++i) input.Add(keys[random() % distinct], random);
  return input;
}

TEST(FoldCollector, FoldsLikeAMapForAllFoldsBatchesAndHashes) {
  for (const FoldCase& fold : AllFolds()) {
    for (const std::size_t batch : {1, 7, 512, 5000}) {
      for (const bool portable : {false, true}) {
        SCOPED_TRACE(testing::Message() << fold.name << " batch " << batch << " seed 1");
        FoldInput input = RandomInput(1, 20'000, 6000, fold.options.state_bytes);
        CollectFold collect{.fold = fold.options, .batch_records = batch};
        collect.fold.portable = portable;
        const Collected collected = collect.Over(input);
        EXPECT_EQ(collected.runs.size(), 1u);
        EXPECT_EQ(collected.stats.spills, 0u);
        EXPECT_EQ(collected.stats.records_in, input.size());
        EXPECT_EQ(collected.stats.records_out, collected.records());
        ExpectSorted(collected);
        const States expected = input.Folded(fold.options);
        EXPECT_EQ(collected.records(), expected.size());
        EXPECT_EQ(collected.Folded(fold.options), expected);
      }
    }
  }
}

TEST(FoldCollector, SpillsWhenTheShareIsFullAndTheRunsFoldToTheSame) {
  for (const FoldCase& fold : AllFolds()) {
    for (const std::uint32_t partitions : {1u, 5u}) {
      SCOPED_TRACE(testing::Message() << fold.name << " partitions " << partitions << " seed 2");
      // Skewed like words: most records fold, and yet the keys are too many for the share.
      FoldInput input(fold.options.state_bytes);
      std::mt19937_64 random(2);
      for (int i = 0; i < 60'000; ++i) {
        const std::string long_tail(random() % 4 == 0 ? 20 : 0, 'x');
        input.Add("k" + std::to_string(random() % (1u << random() % 14)) + long_tail, random);
      }
      const CollectFold collect{
          .fold = fold.options, .partitions = partitions, .memory_bytes = kTinyBytes};
      const Collected collected = collect.Over(input);
      EXPECT_GT(collected.stats.spills, 3u);
      EXPECT_EQ(collected.stats.spills + 1, collected.runs.size());
      EXPECT_FALSE(collected.stats.stepped_aside);
      EXPECT_LE(collected.peak_bytes, kTinyBytes);
      EXPECT_EQ(collected.stats.records_out, collected.records());
      ExpectSorted(collected);
      EXPECT_EQ(collected.Folded(fold.options), input.Folded(fold.options));
    }
  }
}

TEST(FoldCollector, FillsMostOfItsShareBeforeItSpills) {
  for (const std::uint64_t memory_bytes :
       {kTinyBytes, std::uint64_t{1} << 20, std::uint64_t{3} << 20}) {
    FoldInput input(8);
    for (int i = 0; i < 200'000; ++i) {
      input.AddOne("word" + std::to_string(i / 2));
      input.AddOne("word" + std::to_string(i / 2));
    }
    const Collected collected = CollectFold{.memory_bytes = memory_bytes}.Over(input);
    EXPECT_FALSE(collected.stats.stepped_aside);
    ASSERT_GE(collected.runs.size(), 2u);
    for (std::size_t run = 0; run + 1 < collected.runs.size(); ++run)
      EXPECT_GT(collected.runs[run][0].size() * sizeof(FoldSlot), memory_bytes / 2);
  }
}

TEST(FoldCollector, SegmentsDoNotDependOnHashMemoryOrBatches) {
  for (const FoldCase& fold : AllFolds()) {
    SCOPED_TRACE(testing::Message() << fold.name << " seed 3");
    FoldInput input = RandomInput(3, 30'000, 9000, fold.options.state_bytes);
    CollectFold collect{.fold = fold.options, .partitions = 7};
    const Collected expected = collect.Over(input);
    collect.fold.portable = true;
    EXPECT_EQ(collect.Over(input).segment, expected.segment);
    collect.memory_bytes = 5'000'000;
    EXPECT_EQ(collect.Over(input).segment, expected.segment);
    collect.fold.portable = false;
    collect.batch_records = 33;
    const Collected other = collect.Over(input);
    EXPECT_EQ(other.stats.spills, 0u);
    EXPECT_EQ(other.segment, expected.segment);
  }
}

TEST(FoldCollector, SpilledRunsDoNotDependOnTheHash) {
  FoldInput input = RandomInput(4, 50'000, 20'000, 8);
  CollectFold collect{.partitions = 3, .memory_bytes = kTinyBytes};
  const Collected expected = collect.Over(input);
  EXPECT_GT(expected.stats.spills, 0u);
  collect.fold.portable = true;
  EXPECT_EQ(collect.Over(input).segment, expected.segment);
}

TEST(FoldCollector, PutsKeysIntoTheirPartitions) {
  for (const std::uint32_t partitions : {1u, 2u, 16u, 1000u, 2000u}) {
    for (const std::uint64_t memory_bytes : {kTinyBytes, std::uint64_t{64} << 20}) {
      SCOPED_TRACE(testing::Message() << partitions << " partitions, seed 5");
      FoldInput input = RandomInput(5, 10'000, 3000, 8);
      const Collected collected =
          CollectFold{.partitions = partitions, .memory_bytes = memory_bytes}.Over(input);
      ExpectSorted(collected);
      EXPECT_EQ(collected.Folded({}), input.Folded({}));
    }
  }
}

TEST(FoldCollector, SortsKeysThatShareLongPrefixes) {
  for (const std::size_t shared_bytes : {7, 8, 9, 15, 16, 40, 1000}) {
    std::mt19937_64 random(6);
    SCOPED_TRACE(testing::Message() << shared_bytes << " bytes, seed 6");
    FoldInput input(8);
    const std::string shared(shared_bytes, 's');
    for (int i = 0; i < 3000; ++i) input.AddOne(shared + RandomKey(random, 30));
    for (std::size_t bytes = 0; bytes < 200; ++bytes) input.AddOne(std::string(bytes, '\0'));
    const Collected collected = CollectFold{}.Over(input);
    ExpectSorted(collected);
    EXPECT_EQ(collected.Folded({}), input.Folded({}));
  }
}

TEST(FoldCollector, TellsKeysApartThatDifferInTrailingZerosOnly) {
  FoldInput input(8);
  for (std::size_t bytes = 0; bytes <= 20; ++bytes)
    for (std::size_t i = 0; i <= bytes; ++i) input.AddOne(std::string(bytes, '\0'));
  const Collected collected = CollectFold{}.Over(input);
  ASSERT_EQ(collected.runs.size(), 1u);
  ASSERT_EQ(collected.runs[0][0].size(), 21u);
  for (std::size_t bytes = 0; bytes <= 20; ++bytes) {
    EXPECT_EQ(collected.runs[0][0][bytes].first, std::string(bytes, '\0'));
    EXPECT_EQ(fold_test::Word(collected.runs[0][0][bytes].second.data(), 0), bytes + 1);
  }
}

int CompareBackwards(const char* a, uint32_t a_bytes, const char* b, uint32_t b_bytes) {
  return CompareBytes({b, b_bytes}, {a, a_bytes});
}
int CompareLengths(const char*, uint32_t a_bytes, const char*, uint32_t b_bytes) {
  return a_bytes < b_bytes ? -1 : a_bytes > b_bytes ? 1 : 0;
}
int CompareNonsense(const char*, uint32_t, const char*, uint32_t) { return -1; }

TEST(FoldCollector, SortsByTheJobsOrder) {
  for (const auto compare : {&CompareBackwards, &CompareLengths}) {
    for (const std::uint64_t memory_bytes : {kTinyBytes, std::uint64_t{64} << 20}) {
      FoldInput input = RandomInput(7, 20'000, 4000, 8);
      const KeyOrder order{.compare = compare};
      CollectFold collect{.partitions = 3, .order = order, .memory_bytes = memory_bytes};
      const Collected collected = collect.Over(input);
      ExpectSorted(collected, order);
      EXPECT_EQ(collected.Folded({}), input.Folded({}));
      collect.fold.portable = true;
      EXPECT_EQ(collect.Over(input).segment, collected.segment);
    }
  }
}

TEST(FoldCollector, SurvivesAnOrderThatContradictsItself) {
  FoldInput input = RandomInput(8, 5000, 2000, 8);
  const Collected collected = CollectFold{.order = {.compare = &CompareNonsense}}.Over(input);
  EXPECT_EQ(collected.Folded({}), input.Folded({}));
}

TEST(FoldCollector, StepsAsideWhenFoldingDoesNotPay) {
  for (const FoldCase& fold : AllFolds()) {
    SCOPED_TRACE(testing::Message() << fold.name << " seed 9");
    std::mt19937_64 random(9);
    FoldInput input(fold.options.state_bytes);
    for (int i = 0; i < 20'000; ++i) input.Add("unique" + std::to_string(i), random);
    for (int i = 0; i < 20'000; ++i) input.Add("unique" + std::to_string(i % 100), random);
    const Collected collected =
        CollectFold{.fold = fold.options, .partitions = 2, .memory_bytes = kTinyBytes}.Over(input);
    EXPECT_TRUE(collected.stats.stepped_aside);
    EXPECT_LE(collected.peak_bytes, kTinyBytes);
    EXPECT_EQ(collected.stats.records_in, input.size());
    EXPECT_EQ(collected.stats.records_out, collected.records());
    EXPECT_EQ(collected.stats.spills + 1, collected.runs.size());
    ExpectSorted(collected);
    EXPECT_EQ(collected.Folded(fold.options), input.Folded(fold.options));
  }
}

TEST(FoldCollector, StaysWhereKeysRepeat) {
  FoldInput input(8);
  for (int i = 0; i < 50'000; ++i) input.AddOne("word" + std::to_string(i % 3000));
  const Collected collected = CollectFold{.memory_bytes = kTinyBytes * 4}.Over(input);
  EXPECT_FALSE(collected.stats.stepped_aside);
  EXPECT_EQ(collected.records(), 3000u);
}

TEST(FoldCollector, WritesKeysThatExceedTheTableAsRunsOfTheirOwn) {
  std::mt19937_64 random(10);
  for (const FoldCase& fold : AllFolds()) {
    SCOPED_TRACE(testing::Message() << fold.name << " seed 10");
    FoldInput input(fold.options.state_bytes);
    for (int i = 0; i < 40; ++i) {
      input.Add("small" + std::to_string(i % 7), random);
      input.Add(std::string(1000 * static_cast<std::size_t>(i), 'b'), random);
      input.Add(std::string(1000 * static_cast<std::size_t>(i), 'b'), random);
    }
    const Collected collected =
        CollectFold{.fold = fold.options, .partitions = 3, .memory_bytes = kTinyBytes}.Over(input);
    EXPECT_GT(collected.stats.spills, 40u);
    EXPECT_LE(collected.peak_bytes, kTinyBytes);
    ExpectSorted(collected);
    EXPECT_EQ(collected.Folded(fold.options), input.Folded(fold.options));
  }
}

TEST(FoldCollector, TakesAKeyOf100MegabytesWithTheDefaultShare) {
  FoldInput input(8);
  const std::string huge(100 << 20, 'h');
  input.AddOne("small");
  input.AddOne(huge);
  input.AddOne("small");
  const Collected collected = CollectFold{}.Over(input);
  EXPECT_EQ(collected.runs.size(), 2u);
  EXPECT_LE(collected.peak_bytes, std::uint64_t{64} << 20);
  EXPECT_EQ(collected.Folded({}), input.Folded({}));
}

TEST(FoldCollector, FindsHeapForLongKeysAfterARoundOfShortOnes) {
  std::mt19937_64 random(11);
  SCOPED_TRACE("seed 11");
  FoldInput input(8);
  for (int round = 0; round < 4; ++round) {
    for (int i = 0; i < 10'000; ++i) input.AddOne("s" + std::to_string(random() % 3000));
    for (int i = 0; i < 3000; ++i)
      input.AddOne(std::string(200, 'l') + std::to_string(random() % 500));
  }
  const Collected collected = CollectFold{.memory_bytes = kTinyBytes}.Over(input);
  ExpectSorted(collected);
  EXPECT_EQ(collected.Folded({}), input.Folded({}));
}

void AddWide(void* const* states, const void* const* values, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i)
    for (std::size_t word = 0; word < 512; ++word)
      fold_test::SetWord(states[i], word,
                         fold_test::Word(states[i], word) + fold_test::Word(values[i], word));
}

TEST(FoldCollector, TakesStatesThatHardlyFitTheShare) {
  const FoldOptions fold{SPILLWAY_FOLD_CUSTOM, 4096, &AddWide};
  for (const std::uint64_t memory_bytes : {kTinyBytes, kTinyBytes * 9, kTinyBytes * 40}) {
    SCOPED_TRACE(testing::Message() << memory_bytes << " bytes, seed 12");
    FoldInput input = RandomInput(12, 3000, 400, fold.state_bytes);
    const Collected collected = CollectFold{.fold = fold, .memory_bytes = memory_bytes}.Over(input);
    ExpectSorted(collected);
    EXPECT_EQ(collected.Folded(fold), input.Folded(fold));
  }
}

TEST(FoldCollector, WorksWithAnEmptyBudgetAndMoreSpills) {
  FoldInput input = RandomInput(13, 20'000, 200, 8, 12);
  const Collected collected =
      CollectFold{.memory_bytes = 1 << 20, .budget_bytes = 1000}.Over(input);
  EXPECT_EQ(collected.Folded({}), input.Folded({}));
  EXPECT_LE(collected.peak_bytes, 2 * FoldTable::kRegionBytesMin);
}

TEST(FoldCollector, WritesNoRunWithoutRecords) {
  FoldInput input(8);
  const Collected collected = CollectFold{.partitions = 4}.Over(input);
  EXPECT_TRUE(collected.runs.empty());
  EXPECT_EQ(collected.stats.spills, 0u);
}

class BadPartition : public PartitionFunction {
 public:
  Status Partition(std::span<const Record> records, std::uint32_t* out) override {
    std::fill_n(out, records.size(), 4u);
    return OkStatus();
  }
};

TEST(FoldCollector, NamesTheKeyWhosePartitionDoesNotExist) {
  MemoryBudget budget(std::uint64_t{1} << 30);
  MemorySegmentStore store(budget);
  auto file = std::move(store.Create({})).value();
  SegmentWriter writer({}, 4, *file, {});
  BadPartition partition;
  FoldCollector collector(
      {.partitions = 4, .order = {}, .partition = &partition, .budget = &budget}, {}, writer);
  FoldInput input(8);
  input.AddOne("stray");
  const std::vector<Record> records = input.records();
  ASSERT_TRUE(collector.Collect(records).ok());
  const Status status = collector.Finish();
  EXPECT_EQ(status.code(), Code::kUserCode);
  EXPECT_THAT(status.message(), testing::HasSubstr("stray"));
}

/// Nearly all keys differ, so that the fold steps aside; `share` of the records have one key.
FoldInput MostlyDistinct(const FoldOptions& fold, std::size_t records, double share,
                         const std::string& heavy, std::mt19937_64& random) {
  FoldInput input(fold.state_bytes);
  std::bernoulli_distribution is_heavy(share);
  for (std::size_t i = 0; i < records; ++i)
    input.Add(is_heavy(random) ? heavy : "key " + std::to_string(random() % (records * 100)),
              random);
  return input;
}

TEST(FoldCollector, FoldsAHeavyKeyEvenWhereItStepsAside) {
  for (const FoldCase& fold_case : AllFolds()) {
    SCOPED_TRACE(fold_case.name);
    std::mt19937_64 random(17);
    const std::string heavy = "key heavy, and longer than a slot";
    FoldInput input = MostlyDistinct(fold_case.options, 60'000, 0.15, heavy, random);
    const Collected collected =
        CollectFold{.fold = fold_case.options, .partitions = 3, .memory_bytes = 1 << 20}.Over(
            input);
    ASSERT_TRUE(collected.stats.stepped_aside);
    EXPECT_GT(collected.runs.size(), 2u);
    ExpectSorted(collected);
    EXPECT_EQ(collected.Folded(fold_case.options), input.Folded(fold_case.options));
    EXPECT_EQ(collected.stats.records_out, collected.records());
    for (std::size_t run = 0; run < collected.runs.size(); ++run) {
      std::size_t count = 0;
      for (const auto& part : collected.runs[run])
        count += std::count_if(part.begin(), part.end(),
                               [&](const auto& record) { return record.first == heavy; });
      EXPECT_LE(count, RunFolder::kWindow) << "run " << run;
    }
  }
}

// What a reduce task gets of a heavy key: no more than the median task gets in all.
TEST(FoldCollector, AHeavyKeyDoesNotMakeItsPartitionHeavy) {
  constexpr std::uint32_t kPartitions = 8;
  std::mt19937_64 random(19);
  for (const double share : {0.0, 0.19}) {
    SCOPED_TRACE(share);
    FoldInput input = MostlyDistinct({}, 100'000, share, "heavy", random);
    const Collected collected =
        CollectFold{.partitions = kPartitions, .memory_bytes = 2 << 20}.Over(input);
    ASSERT_TRUE(collected.stats.stepped_aside);
    std::vector<std::size_t> records(kPartitions);
    for (const auto& run : collected.runs)
      for (std::uint32_t p = 0; p < kPartitions; ++p) records[p] += run[p].size();
    std::sort(records.begin(), records.end());
    EXPECT_LT(records.back(), records[kPartitions / 2] * 11 / 10);
  }
}

TEST(FoldCollector, HeavyKeysThatCannotBeFoldedAreWrittenAsTheyAre) {
  std::mt19937_64 random(23);
  const FoldOptions fold{SPILLWAY_FOLD_SUM_U64};
  // Longer than the folder's table has room for; and an order in which equal keys may lie apart.
  for (const std::string& heavy : {std::string(10'000, 'k'), std::string("heavy")}) {
    SCOPED_TRACE(heavy.size());
    FoldInput input = MostlyDistinct(fold, 60'000, 0.01, heavy, random);
    CollectFold collect{.fold = fold, .memory_bytes = 1 << 20};
    if (heavy.size() < 10) collect.order = {.compare = &CompareBackwards};
    const Collected collected = collect.Over(input);
    ASSERT_TRUE(collected.stats.stepped_aside);
    ExpectSorted(collected, collect.order);
    EXPECT_EQ(collected.Folded(fold), input.Folded(fold));
  }
}

}  // namespace
}  // namespace spillway
