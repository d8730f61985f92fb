#include "shuffle/engine/sort_collector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "mapreduce/base/check.h"
#include "mapreduce/base/units.h"
#include "shuffle/engine/sorted_groups.h"
#include "shuffle/format/segment_reader.h"
#include "shuffle/store/memory_segment_store.h"

namespace spillway {
namespace {

using testing::HasSubstr;
using Random = std::mt19937_64;
using Pair = std::pair<std::string, std::string>;
using Pairs = std::vector<Pair>;
/// What a segment holds: [run][partition].
using Runs = std::vector<std::vector<Pairs>>;

constexpr SegmentId kId{.job = 1, .map_task = 2, .attempt = 3};

std::uint32_t PartitionOf(std::string_view key, std::uint32_t partitions) {
  std::uint32_t hash = 17;
  for (const char c : key) hash = hash * 31 + static_cast<unsigned char>(c);
  return (hash ^ hash >> 7) % partitions;
}

class TestPartition : public PartitionFunction {
 public:
  explicit TestPartition(std::uint32_t partitions) : partitions_(partitions) {}
  Status Partition(std::span<const Record> records, std::uint32_t* out) override {
    for (const Record& record : records) *out++ = PartitionOf(KeyOf(record), partitions_);
    return OkStatus();
  }

 private:
  std::uint32_t partitions_;
};

/// A collector over a segment in memory.
class Job {
 public:
  explicit Job(CollectorOptions options, SortKernel kernel = SortKernel::kFastest)
      : partition_(options.partitions) {
    options.budget = &collector_budget_;
    if (options.partition == nullptr) options.partition = &partition_;
    file_ = std::move(store_.Create(kId)).value();
    writer_ = std::make_unique<SegmentWriter>(kId, options.partitions, *file_, writer_options_);
    collector_ = std::make_unique<SortCollector>(options, *writer_, kernel);
  }

  /// In batches of changing size, whose memory does not outlive the call.
  Status Collect(const Pairs& pairs, std::size_t batch_records_max = 300) {
    std::size_t at = 0;
    for (std::size_t size = 1; at < pairs.size(); size = size % batch_records_max + 1) {
      const std::size_t end = std::min(pairs.size(), at + size);
      Pairs copies(pairs.begin() + static_cast<std::ptrdiff_t>(at),
                   pairs.begin() + static_cast<std::ptrdiff_t>(end));
      std::vector<Record> batch;
      for (const Pair& pair : copies) batch.push_back(MakeRecord(pair.first, pair.second));
      SPILLWAY_RETURN_IF_ERROR(collector_->Collect(batch));
      at = end;
    }
    return OkStatus();
  }

  Status Finish() { return collector_->Finish(); }

  /// After Finish: the whole segment.
  std::shared_ptr<SegmentBytes> Bytes() {
    EXPECT_TRUE(writer_->Finish().ok());
    EXPECT_TRUE(file_->Commit().ok());
    return std::move(store_.Open(kId)).value();
  }

  Runs Read() {
    auto reader = std::move(SegmentReader::Open(Bytes(), kId)).value();
    Runs runs(reader->runs());
    for (std::uint32_t run = 0; run < reader->runs(); ++run)
      for (std::uint32_t p = 0; p < reader->partitions(); ++p)
        runs[run].push_back(ReadPartition(*reader, run, p));
    return runs;
  }

  const CollectorStats& stats() const { return collector_->stats(); }
  MemoryBudget& collector_budget() { return collector_budget_; }

 private:
  Pairs ReadPartition(const SegmentReader& reader, std::uint32_t run, std::uint32_t partition) {
    Pairs pairs;
    Block block;
    const auto source = reader.OpenRun(run, partition, store_budget_, {});
    while (source->Next(&block).value()) {
      const char* const end = block.bytes.data() + block.bytes.size();
      for (const char* at = block.bytes.data(); at != end;) {
        Record record{};
        at = DecodeRecord(at, end, &record);
        SPILLWAY_CHECK(at != nullptr);
        pairs.emplace_back(KeyOf(record), ValueOf(record));
      }
    }
    return pairs;
  }

  MemoryBudget collector_budget_{256 << 20};
  MemoryBudget store_budget_{1 << 30};
  MemorySegmentStore store_{store_budget_};
  TestPartition partition_;
  const SegmentWriterOptions writer_options_;
  std::unique_ptr<SegmentFile> file_;
  std::unique_ptr<SegmentWriter> writer_;
  std::unique_ptr<SortCollector> collector_;
};

/// Every run of `runs` holds the next so many of `pairs`, in the order (partition, key, arrival).
void ExpectSortedRuns(const Runs& runs, const Pairs& pairs, const CollectorOptions& options) {
  std::size_t taken = 0;
  for (const auto& run : runs) {
    std::size_t count = 0;
    for (const Pairs& partition : run) count += partition.size();
    ASSERT_GT(count, 0u);
    ASSERT_LE(taken + count, pairs.size());
    std::vector<Pairs> expected(options.partitions);
    for (std::size_t i = taken; i < taken + count; ++i)
      expected[PartitionOf(pairs[i].first, options.partitions)].push_back(pairs[i]);
    for (Pairs& partition : expected)
      std::stable_sort(partition.begin(), partition.end(), [&](const Pair& a, const Pair& b) {
        return options.order.Compare(a.first, b.first) < 0;
      });
    ASSERT_EQ(run, expected);
    taken += count;
  }
  EXPECT_EQ(taken, pairs.size());
}

Pairs RandomPairs(Random& random, std::size_t count) {
  Pairs pairs(count);
  for (std::size_t i = 0; i < count; ++i) {
    std::string key(random() % 3 == 0 ? random() % 40 : random() % 4, 0);
    for (char& c : key) c = "\0ab\xff"[random() % 4];
    pairs[i] = {(random() % 2 == 0 ? "shared prefix " : "") + key,
                std::to_string(i) + std::string(random() % 200, 'v')};
  }
  return pairs;
}

TEST(SortCollectorTest, WritesRunsInTheOrderOfPartitionKeyAndArrival) {
  for (const std::uint64_t memory_bytes : {std::uint64_t{1}, 700 * std::uint64_t{1}, 8 * kKiB,
                                           128 * kKiB, CollectorOptions().memory_bytes}) {
    for (const std::uint32_t partitions : {1u, 2u, 7u, 2000u}) {
      SCOPED_TRACE("memory " + std::to_string(memory_bytes) + ", partitions " +
                   std::to_string(partitions));
      CollectorOptions options;
      options.memory_bytes = memory_bytes;
      options.partitions = partitions;
      Random random(memory_bytes + partitions);
      const Pairs pairs = RandomPairs(random, memory_bytes < kKiB && partitions > 7 ? 50 : 2500);
      Job job(options);
      ASSERT_TRUE(job.Collect(pairs).ok());
      ASSERT_TRUE(job.Finish().ok());
      const Runs runs = job.Read();
      ExpectSortedRuns(runs, pairs, options);
      EXPECT_EQ(job.stats().records_in, pairs.size());
      EXPECT_EQ(job.stats().records_out, pairs.size());
      EXPECT_EQ(job.stats().spills, runs.size() - 1);
      if (memory_bytes >= kMiB) {
        EXPECT_EQ(runs.size(), 1u);
      }
      if (memory_bytes <= 8 * kKiB) {
        EXPECT_GT(runs.size(), 3u);
      }
    }
  }
}

TEST(SortCollectorTest, CountsTheBytesOfKeysAndValues) {
  Job job(CollectorOptions{});
  ASSERT_TRUE(job.Collect({{"key", "value"}, {"", ""}, {"k", "v"}}).ok());
  ASSERT_TRUE(job.Finish().ok());
  EXPECT_EQ(job.stats().records_in, 3u);
  EXPECT_EQ(job.stats().bytes_in, 10u);
  EXPECT_EQ(job.stats().spills, 0u);
}

TEST(SortCollectorTest, WritesNoRunAndTakesNoMemoryForNoRecords) {
  Job job(CollectorOptions{});
  ASSERT_TRUE(job.Collect({}).ok());
  ASSERT_TRUE(job.Finish().ok());
  EXPECT_EQ(job.collector_budget().peak_bytes(), 0u);
  EXPECT_TRUE(job.Read().empty());
}

TEST(SortCollectorTest, StaysWithinItsShareAndGivesItBack) {
  CollectorOptions options;
  options.memory_bytes = 32 * kKiB;
  Job job(options);
  Random random(1);
  ASSERT_TRUE(job.Collect(RandomPairs(random, 3000)).ok());
  EXPECT_LE(job.collector_budget().peak_bytes(), options.memory_bytes);
  EXPECT_GE(job.collector_budget().peak_bytes(), options.memory_bytes / 2);
  ASSERT_TRUE(job.Finish().ok());
  EXPECT_TRUE(job.collector_budget().TryReserve(job.collector_budget().total_bytes()));
}

TEST(SortCollectorTest, MakesDoWithWhatTheBudgetHas) {
  MemoryBudget budget(100 * kKiB);
  MemoryBudget store_budget(64 * kMiB);
  MemorySegmentStore store(store_budget);
  const auto file = std::move(store.Create(kId)).value();
  SegmentWriter writer(kId, 1, *file, {});
  CollectorOptions options;
  options.budget = &budget;
  SortCollector collector(options, writer);
  const std::string value(1000, 'v');
  for (int i = 0; i < 500; ++i) {
    const Record record = MakeRecord("key", value);
    ASSERT_TRUE(collector.Collect({&record, 1}).ok());
  }
  ASSERT_TRUE(collector.Finish().ok());
  EXPECT_LE(budget.peak_bytes(), 100 * kKiB);
  EXPECT_GT(writer.runs(), 4u);
}

TEST(SortCollectorTest, WritesTheSameBytesWithEitherKernel) {
  for (std::uint64_t seed = 0; seed < 6; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    CollectorOptions options;
    options.memory_bytes = seed % 2 == 0 ? 64 * kKiB : 8 * kMiB;
    options.partitions = seed % 3 == 0 ? 1 : 5;
    const Pairs pairs = RandomPairs(random, 8000);
    std::vector<std::string> segments;
    for (const SortKernel kernel : {SortKernel::kFastest, SortKernel::kPortable}) {
      Job job(options, kernel);
      ASSERT_TRUE(job.Collect(pairs).ok());
      ASSERT_TRUE(job.Finish().ok());
      const auto bytes = job.Bytes();
      std::string scratch(bytes->size(), 0);
      segments.emplace_back(bytes->ReadAt(0, bytes->size(), scratch.data()).value());
    }
    EXPECT_TRUE(segments[0] == segments[1]);
  }
}

TEST(SortCollectorTest, WritesRecordsThatExceedTheShareAsRunsOfTheirOwn) {
  CollectorOptions options;
  options.memory_bytes = 4 * kKiB;
  options.partitions = 3;
  Pairs pairs;
  for (int i = 0; i < 60; ++i) {
    const bool giant = i % 7 == 3;
    pairs.emplace_back("key" + std::to_string(i % 5) + std::string(giant && i % 2 ? 9000 : 0, 'k'),
                       std::string(giant ? 300'000 : 100, static_cast<char>('a' + i % 26)));
  }
  Job job(options);
  ASSERT_TRUE(job.Collect(pairs).ok());
  ASSERT_TRUE(job.Finish().ok());
  const Runs runs = job.Read();
  ExpectSortedRuns(runs, pairs, options);
  EXPECT_EQ(job.stats().spills, runs.size() - 1);
}

TEST(SortCollectorTest, RefusesARecordThatNoRunCanHold) {
  Record record = MakeRecord("the key", "value");
  record.value_bytes = kFieldBytesMax + 1;
  // The value is not looked at: its length alone says no.
  MemoryBudget budget(kMiB);
  MemorySegmentStore store(budget);
  const auto file = std::move(store.Create(kId)).value();
  SegmentWriter writer(kId, 1, *file, {});
  CollectorOptions options;
  options.budget = &budget;
  SortCollector collector(options, writer);
  const Status status = collector.Collect({&record, 1});
  EXPECT_EQ(status.code(), Code::kResourceExhausted);
  EXPECT_THAT(status.message(), HasSubstr("the key"));
  EXPECT_THAT(status.message(), HasSubstr("1 GiB"));
}

TEST(SortCollectorTest, PassesAFailedPartitionFunctionOn) {
  struct Failing : PartitionFunction {
    Status Partition(std::span<const Record>, std::uint32_t*) override {
      return UserCodeError("threw");
    }
  } failing;
  CollectorOptions options;
  options.partitions = 2;
  options.partition = &failing;
  EXPECT_EQ(Job(options).Collect({{"a", "b"}}).message(), "threw");
}

TEST(SortCollectorTest, NamesTheKeyWhosePartitionDoesNotExist) {
  TestPartition wide(1000);
  CollectorOptions options;
  options.partitions = 2;
  options.partition = &wide;
  const Status status = Job(options).Collect({{"stray", "v"}});
  EXPECT_EQ(status.code(), Code::kUserCode);
  EXPECT_THAT(status.message(), HasSubstr("\"stray\""));
  EXPECT_THAT(status.message(), HasSubstr(std::to_string(PartitionOf("stray", 1000))));
}

TEST(SortCollectorTest, RefusesMorePartitionsThanAnEntryCanName) {
  CollectorOptions options;
  options.partitions = ArenaEntry::kPartitionsMax + 1;
  const Status status = Job(options).Collect({{"key", "value"}});
  EXPECT_EQ(status.code(), Code::kInvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr("fewer reducers"));
}

int CompareLengthsDownwards(const char*, uint32_t a_bytes, const char*, uint32_t b_bytes) {
  return a_bytes > b_bytes ? -1 : a_bytes < b_bytes ? 1 : 0;
}

TEST(SortCollectorTest, SortsByACustomOrder) {
  for (const std::uint64_t memory_bytes : {4 * kKiB, 8 * kMiB}) {
    SCOPED_TRACE(memory_bytes);
    CollectorOptions options;
    options.memory_bytes = memory_bytes;
    options.partitions = 3;
    options.order.compare = &CompareLengthsDownwards;
    Random random(2);
    const Pairs pairs = RandomPairs(random, 2000);
    Job job(options);
    ASSERT_TRUE(job.Collect(pairs).ok());
    ASSERT_TRUE(job.Finish().ok());
    ExpectSortedRuns(job.Read(), pairs, options);
  }
}

/// Joins the values of each group with commas under the group's first key.
class Joiner : public CombineFunction {
 public:
  Status Combine(GroupStream& groups,
                 const std::function<Status(std::span<const Record>)>& emit) override {
    Pair joined;
    bool any = false;
    for (;;) {
      SPILLWAY_ASSIGN_OR_RETURN(const GroupBatch batch, groups.Next());
      if (batch.records.empty()) break;
      batch_records_max_ = std::max(batch_records_max_, batch.records.size());
      auto group = batch.groups.begin();
      for (std::size_t i = 0; i < batch.records.size(); ++i) {
        const bool begins = group != batch.groups.end() && *group == i;
        if (begins) {
          ++group;
          if (std::exchange(any, true)) SPILLWAY_RETURN_IF_ERROR(Emit(joined, emit));
          joined.first = KeyOf(batch.records[i]);
          joined.second.clear();
        }
        joined.second += (begins ? "" : ",") + std::string(ValueOf(batch.records[i]));
      }
    }
    return any ? Emit(joined, emit) : OkStatus();
  }

  std::size_t batch_records_max() const { return batch_records_max_; }

 private:
  static Status Emit(const Pair& pair, const std::function<Status(std::span<const Record>)>& emit) {
    const Record record = MakeRecord(pair.first, pair.second);
    return emit({&record, 1});
  }

  std::size_t batch_records_max_ = 0;
};

std::uint32_t FirstByte(const char*, std::uint32_t key_bytes) { return std::min(key_bytes, 1u); }

void ExpectJoined(const CollectorOptions& options, const Pairs& pairs) {
  Job job(options);
  ASSERT_TRUE(job.Collect(pairs).ok());
  ASSERT_TRUE(job.Finish().ok());
  // What the runs say together is each key's values in order, once.
  std::map<std::string, std::string> expected, actual;
  for (const auto& [key, value] : pairs) {
    auto [at, is_new] = expected.try_emplace(std::string(options.order.GroupOf(key)));
    at->second += (is_new ? "" : ",") + value;
  }
  std::uint64_t records = 0;
  for (const auto& run : job.Read()) {
    for (std::uint32_t p = 0; p < options.partitions; ++p) {
      for (std::size_t i = 0; i < run[p].size(); ++i, ++records) {
        const auto& [key, value] = run[p][i];
        if (i > 0) {
          EXPECT_LT(options.order.GroupOf(run[p][i - 1].first), options.order.GroupOf(key));
        }
        EXPECT_EQ(PartitionOf(key, options.partitions), p);
        auto [at, is_new] = actual.try_emplace(std::string(options.order.GroupOf(key)));
        at->second += (is_new ? "" : ",") + value;
      }
    }
  }
  EXPECT_EQ(actual, expected);
  EXPECT_EQ(job.stats().records_out, records);
  EXPECT_LT(records, pairs.size() / 2);
}

TEST(SortCollectorTest, CombinesEachRun) {
  Joiner joiner;
  for (const std::uint64_t memory_bytes : {32 * kKiB, 8 * kMiB}) {
    for (const std::uint32_t partitions : {1u, 3u}) {
      SCOPED_TRACE("memory " + std::to_string(memory_bytes) + ", partitions " +
                   std::to_string(partitions));
      CollectorOptions options;
      options.memory_bytes = memory_bytes;
      options.partitions = partitions;
      options.combine = &joiner;
      Pairs pairs;
      Random random(4);
      for (int i = 0; i < 9000; ++i)
        pairs.emplace_back("a rather long key " + std::to_string(random() % 20), std::to_string(i));
      ExpectJoined(options, pairs);
    }
  }
  EXPECT_EQ(joiner.batch_records_max(), SortedGroups::kBatchRecords);
}

TEST(SortCollectorTest, CombinesByGroupWhereAGroupHasManyKeys) {
  Joiner joiner;
  CollectorOptions options;
  options.combine = &joiner;
  options.order.group_bytes = &FirstByte;
  Pairs pairs;
  for (int i = 0; i < 3000; ++i)
    pairs.emplace_back(std::string(1, "xyz"[i % 3]) + std::to_string(10000 + i), std::to_string(i));
  ExpectJoined(options, pairs);
}

/// Emits what it is told, whatever it reads.
class Stubborn : public CombineFunction {
 public:
  explicit Stubborn(std::vector<Pairs> batches) : batches_(std::move(batches)) {}
  Status Combine(GroupStream&,
                 const std::function<Status(std::span<const Record>)>& emit) override {
    for (const Pairs& batch : batches_) {
      std::vector<Record> records;
      for (const Pair& pair : batch) records.push_back(MakeRecord(pair.first, pair.second));
      SPILLWAY_RETURN_IF_ERROR(emit(records));
    }
    return OkStatus();
  }

 private:
  std::vector<Pairs> batches_;
};

Status CombineStubbornly(std::vector<Pairs> batches, std::uint32_t partitions = 1) {
  Stubborn stubborn(std::move(batches));
  CollectorOptions options;
  options.combine = &stubborn;
  options.partitions = partitions;
  Job job(options);
  EXPECT_TRUE(job.Collect({{"m", "value"}}).ok());
  return job.Finish();
}

TEST(SortCollectorTest, LetsACombinerEmitNothingOrManyInOrder) {
  EXPECT_TRUE(CombineStubbornly({}).ok());
  EXPECT_TRUE(CombineStubbornly({{}, {{"m", "1"}, {"m", "2"}}, {{"m", "3"}, {"n", "4"}}}).ok());
}

TEST(SortCollectorTest, RefusesACombinersKeyThatSortsBeforeItsLast) {
  for (const std::vector<Pairs>& batches : {std::vector<Pairs>{{{"n", "1"}, {"m", "2"}}},
                                            std::vector<Pairs>{{{"n", "1"}}, {{"m", "2"}}}}) {
    const Status status = CombineStubbornly(batches);
    EXPECT_EQ(status.code(), Code::kUserCode);
    EXPECT_THAT(status.message(), HasSubstr("combiner emitted key \"m\" out of place"));
    EXPECT_THAT(status.message(), HasSubstr("\"n\""));
  }
}

TEST(SortCollectorTest, RefusesACombinersKeyOfAnotherPartition) {
  std::string stray = "n";
  while (PartitionOf(stray, 2) == PartitionOf("m", 2)) ++stray[0];
  const Status status = CombineStubbornly({{{"m", "1"}, {stray, "2"}}}, 2);
  EXPECT_EQ(status.code(), Code::kUserCode);
  EXPECT_THAT(status.message(), HasSubstr("combiner emitted key \"" + stray + "\" out of place"));
}

}  // namespace
}  // namespace spillway
