#include "runtime/cli/skew_text.h"

#include <gmock/gmock.h>

namespace spillway {
namespace {

KeyLoad Load(std::string key, double share) {
  const std::uint64_t bytes = key.size();
  return {std::move(key), bytes, 100'000, 1'000'000, share};
}

TEST(Skew, ComparesTheLargestWithTheMedian) {
  EXPECT_EQ(MeasureSkew({}).largest, 0u);
  const Skew odd = MeasureSkew({9, 1, 3});
  EXPECT_EQ(odd.largest, 9u);
  EXPECT_EQ(odd.median, 3u);
  EXPECT_DOUBLE_EQ(odd.ratio, 3.0);
  EXPECT_EQ(MeasureSkew({4, 1, 8, 2}).median, 2u);
  EXPECT_DOUBLE_EQ(MeasureSkew({1, 9}).ratio, 9.0);
  EXPECT_DOUBLE_EQ(MeasureSkew({0, 0, 7}).ratio, 0.0);
  EXPECT_EQ(MeasureSkew({UINT64_MAX, UINT64_MAX}).median, UINT64_MAX);
}

TEST(HeavyKeysText, TellsSharesThatMatterAmongSoManyReduceTasks) {
  const std::vector<KeyLoad> keys = {Load("the", 0.123), Load("of", 0.061), Load("and", 0.021)};
  EXPECT_EQ(HeavyKeysText(keys, 4), "\"the\" 12 %, \"of\" 6.1 %");
  EXPECT_EQ(HeavyKeysText(keys, 4, 1), "\"the\" 12 %");
  EXPECT_EQ(HeavyKeysText(keys, 100), "\"the\" 12 %, \"of\" 6.1 %, \"and\" 2.1 %");
  EXPECT_EQ(HeavyKeysText({Load("and", 0.021)}, 4), "");
  EXPECT_EQ(HeavyKeysText({}, 0), "");
}

TEST(HeavyKeysText, IsSilentOfFewRecords) {
  KeyLoad few = Load("the", 0.5);
  few.records = 999;
  EXPECT_EQ(HeavyKeysText({few}, 4), "");
  few.records = 1'000;
  EXPECT_EQ(HeavyKeysText({few}, 4), "\"the\" 50 %");
}

TEST(HeavyKeysText, KeysCannotSteerTheTerminal) {
  EXPECT_EQ(HeavyKeysText({Load(std::string("\0\x1b\"\xff", 4), 1.0)}, 1),
            "\"\\x00\\x1b\\x22\\xff\" 100 %");
  EXPECT_THAT(HeavyKeysText({Load(std::string(64, 'x'), 1.0)}, 1), testing::HasSubstr("x...\""));
}

TEST(HeavyKeysJson, HasEveryKeyWhole) {
  KeyLoad cut = Load(std::string(64, '\xff'), 0.25);
  cut.key_bytes = 70;
  const auto json = HeavyKeysJson({Load("a", 0.5), cut});
  ASSERT_EQ(json.size(), 2u);
  EXPECT_EQ(json[0].dump(),
            R"({"key":"a","key_bytes":1,"records":100000,"bytes":1000000,"share":0.5})");
  EXPECT_EQ(json[1]["key"].get<std::string>().size(), 4 * 64u);
  EXPECT_EQ(json[1]["key_bytes"], 70);
}

SkewReport Partitions(std::vector<PartitionLoad> loads, std::uint32_t hottest, KeyLoad key) {
  SkewReport skew;
  skew.reduces = static_cast<std::uint32_t>(loads.size());
  skew.partitions = std::move(loads);
  skew.hottest = hottest;
  skew.hottest_key = std::move(key);
  return skew;
}

constexpr std::uint64_t kMegabytes = 1 << 20;

SkewReport OneKey() {
  return Partitions({{10 * kMegabytes, 100, 500'000},
                     {40 * kMegabytes, 400, 2'000'000},
                     {11 * kMegabytes, 110, 400'000}},
                    1, {"null", 4, 290, 0, 0.725});
}

TEST(SkewHint, NamesTheKeyThatMakesAPartitionLarge) {
  EXPECT_EQ(CauseOf(OneKey()), SkewCause::kOneKey);
  EXPECT_EQ(SkewHint(OneKey()),
            "partition 1 has 3.64 times the bytes of the median: 72 % of its records have the key "
            "\"null\", which is reduced in one place, so more reducers do not help. A fold or a "
            "combiner would, where the job can have one");
}

TEST(SkewHint, SpreadsManyKeysOverMorePartitions) {
  SkewReport skew = OneKey();
  skew.hottest_key.records = 20;
  skew.hottest_key.share = 0.05;
  EXPECT_EQ(CauseOf(skew), SkewCause::kManyKeys);
  EXPECT_THAT(SkewHint(skew), testing::HasSubstr("no key more than 5.0 % of its records"));
  EXPECT_THAT(SkewHint(skew), testing::HasSubstr("Try --reducers 12, or another partitioner"));
}

TEST(SkewHint, LargeRecordsAreNoMatterOfKeys) {
  SkewReport skew = OneKey();
  skew.partitions[1].records = 120;
  EXPECT_EQ(CauseOf(skew), SkewCause::kLargeRecords);
  EXPECT_THAT(SkewHint(skew), testing::HasSubstr("some of its values are large"));
}

TEST(SkewHint, IsSilentWhereThereIsNoNeed) {
  EXPECT_EQ(SkewHint({}), "");
  SkewReport even = OneKey();
  even.partitions[1].shuffled_bytes = 22 * kMegabytes;
  EXPECT_EQ(SkewHint(even), "");
  SkewReport small = OneKey();
  for (PartitionLoad& load : small.partitions) load.shuffled_bytes /= 10;
  EXPECT_EQ(SkewHint(small), "");
  // A partition that is not reduced is not a small one.
  SkewReport running = OneKey();
  running.partitions.resize(5);
  running.partitions[0].run_us = 0;
  running.partitions[2].run_us = 0;
  EXPECT_EQ(SkewHint(running), "");
}

TEST(SkewHint, KnowsPartitionsBesideEmptyOnes) {
  SkewReport skew = OneKey();
  skew.partitions[0].shuffled_bytes = skew.partitions[2].shuffled_bytes = 0;
  EXPECT_THAT(SkewHint(skew), testing::HasSubstr("has 40 MiB, and the median nothing"));
}

TEST(PartitionsText, ComparesTheLargestAndTheSlowestWithTheMedian) {
  EXPECT_EQ(PartitionsText(OneKey()),
            "3 partitions, the largest 40 MiB (3.64 x the median) and 400 records (3.64 x), the "
            "slowest 2.00 s (4.00 x)");
  EXPECT_EQ(PartitionsText({}), "");
}

TEST(PartitionTable, HasTheLargestFirstAndTheMedian) {
  SkewReport skew = OneKey();
  for (std::uint64_t i = 0; i < 19; ++i) skew.partitions.push_back({i, 1, 1});
  skew.partitions.push_back({});  // Nothing is known of it.
  EXPECT_EQ(PartitionTable(skew),
            "    PARTITION   BYTES  RECORDS    TIME\n"
            "    1          40 MiB      400  2.00 s\n"
            "    2          11 MiB      110  400 ms\n"
            "    0          10 MiB      100  500 ms\n"
            "    21           18 B        1    0 ms\n"
            "    20           17 B        1    0 ms\n"
            "    median       10 B        1    0 ms\n");
}

TEST(PartitionTable, HasThoseThatAreNotReduced) {
  SkewReport skew = OneKey();
  EXPECT_EQ(WaitingPartitionsText(skew), "");
  // The one that all wait for; what the others had is known better.
  skew.partitions[1] = {40 * kMegabytes, 0, 0};
  EXPECT_EQ(WaitingPartitionsText(skew),
            "1 partition, the largest about 40 MiB (3.64 x the median of all)");
  EXPECT_EQ(PartitionTable(skew),
            "    PARTITION   BYTES  RECORDS    TIME\n"
            "    1          40 MiB        -       -\n"
            "    2          11 MiB      110  400 ms\n"
            "    0          10 MiB      100  500 ms\n"
            "    median     11 MiB      100  400 ms\n");
  // While maps run.
  for (PartitionLoad& load : skew.partitions) load = {load.shuffled_bytes, 0, 0};
  EXPECT_EQ(PartitionsText(skew), "");
  EXPECT_EQ(PartitionTable(skew),
            "    PARTITION   BYTES  RECORDS  TIME\n"
            "    1          40 MiB        -     -\n"
            "    2          11 MiB        -     -\n"
            "    0          10 MiB        -     -\n"
            "    median     11 MiB        -     -\n");
  nlohmann::ordered_json json;
  AddSkewJson(skew, &json);
  EXPECT_TRUE(json["hottest_partition"].is_null());
  EXPECT_EQ(json["partitions"]["shuffled_bytes"][1], 40 * kMegabytes);
}

TEST(PartitionTable, HasThePiecesOfSplitPartitions) {
  SkewReport skew = OneKey();
  skew.partitions[1].pieces = 16;
  EXPECT_EQ(PartitionTable(skew),
            "    PARTITION   BYTES  RECORDS    TIME  PIECES\n"
            "    1          40 MiB      400  2.00 s      16\n"
            "    2          11 MiB      110  400 ms       -\n"
            "    0          10 MiB      100  500 ms       -\n"
            "    median     11 MiB      110  500 ms       -\n");
}

TEST(SplitText, NamesTheFirstSplitPartitions) {
  SkewReport skew = OneKey();
  EXPECT_EQ(SplitText(skew, 0), "");
  skew.partitions[1].pieces = 8;
  EXPECT_EQ(SplitText(skew, 8), "partition 1 among 8 combine tasks");
  skew.partitions[2].pieces = 2;
  EXPECT_EQ(SplitText(skew, 10), "partition 1 among 8 combine tasks, partition 2 among 2");
  skew.partitions.resize(3);
  for (std::uint32_t i = 0; i < 4; ++i) skew.partitions.push_back({0, 0, 0, 3});
  EXPECT_EQ(SplitText(skew, 22),
            "partition 1 among 8 combine tasks, partition 2 among 2, partition 3 among 3, "
            "partition 4 among 3 and 2 more");
}

TEST(SplitText, KnowsThatThereAreSomeWherePartitionsAreNotTold) {
  EXPECT_EQ(SplitText({}, 8), "large partitions among 8 combine tasks");
}

TEST(JoinedText, CountsThemAmongAll) {
  EXPECT_EQ(JoinedText(0, 4), "");
  EXPECT_EQ(JoinedText(1'969, 2'000),
            "1 969 of 2 000 partitions, by the tasks of their neighbours");
}

TEST(SkewJson, HasAllPartitionsAndTheCause) {
  nlohmann::ordered_json json;
  SkewReport skew = OneKey();
  skew.partitions[1].pieces = 8;
  AddSkewJson(skew, &json);
  EXPECT_EQ(json["partitions"]["records"].dump(), "[100,400,110]");
  EXPECT_EQ(json["partitions"]["pieces"].dump(), "[0,8,0]");
  EXPECT_EQ(json["reduce_skew"]["run_us"].dump(),
            R"({"largest":2000000,"median":500000,"ratio":4.0})");
  EXPECT_EQ(json["hottest_partition"].dump(),
            R"({"partition":1,"key":"null","key_bytes":4,"key_records":290,"cause":"one key"})");
  EXPECT_EQ(json["skew_hint"], "");
}

}  // namespace
}  // namespace spillway
