// The map side's sort: the kernels beside std::sort, what ties cost, and the whole collector over
// 100-byte records with 10-byte keys. Read the CPU times.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "mapreduce/base/units.h"
#include "shuffle/engine/sort_collector.h"
#include "shuffle/sort/key_sorter.h"
#include "shuffle/sort/number_sort.h"

namespace spillway {
namespace {

constexpr std::uint64_t kSeed = 42;

void ReportPerRecord(benchmark::State& state, std::size_t records) {
  state.counters["per_record"] = benchmark::Counter(
      static_cast<double>(records),
      benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

constexpr std::size_t kNumbers = 1 << 20;

/// Sorts many arrays of range(0) numbers each, so that no branch predictor learns one by heart.
template <class Sort>
void SortRandomNumbers(benchmark::State& state, Sort sort) {
  const auto count = static_cast<std::size_t>(state.range(0));
  std::mt19937_64 random(kSeed);
  std::vector<Number128> source(kNumbers), numbers(kNumbers);
  for (std::size_t i = 0; i < kNumbers; ++i) source[i] = {i << 20, random()};
  for (auto _ : state) {
    state.PauseTiming();
    numbers = source;
    state.ResumeTiming();
    for (std::size_t begin = 0; begin < kNumbers; begin += count)
      sort(std::span(numbers).subspan(begin, std::min(count, kNumbers - begin)));
    benchmark::DoNotOptimize(numbers.data());
  }
  ReportPerRecord(state, kNumbers);
}

void BM_KernelFastest(benchmark::State& state) {
  SortRandomNumbers(state, [](auto numbers) { SortNumbers(numbers, SortKernel::kFastest); });
}
void BM_KernelPortable(benchmark::State& state) {
  SortRandomNumbers(state, [](auto numbers) { SortNumbers(numbers, SortKernel::kPortable); });
}
void BM_KernelStdSort(benchmark::State& state) {
  SortRandomNumbers(state, [](auto numbers) { std::sort(numbers.begin(), numbers.end()); });
}
BENCHMARK(BM_KernelFastest)->RangeMultiplier(2)->Range(8, 1024)->Arg(kNumbers);
BENCHMARK(BM_KernelPortable)->RangeMultiplier(2)->Range(8, 1024)->Arg(kNumbers);
BENCHMARK(BM_KernelStdSort)->RangeMultiplier(4)->Range(16, 1024)->Arg(kNumbers);

/// Keys of `random_bytes` random bytes behind a prefix; each occurs about `repeats` times.
struct KeyShape {
  std::size_t prefix_bytes;
  std::size_t random_bytes;
  std::size_t repeats;
};

void BM_SortKeys(benchmark::State& state, KeyShape shape) {
  constexpr std::size_t kRecords = 600'000;
  std::mt19937_64 random(kSeed);
  std::vector<std::string> distinct(kRecords / shape.repeats);
  for (std::string& key : distinct) {
    key.assign(shape.prefix_bytes, 'p');
    for (std::size_t i = 0; i < shape.random_bytes; ++i)
      key += static_cast<char>('a' + random() % 26);
  }
  MemoryBudget budget(kGiB);
  RecordArena arena = std::move(RecordArena::Allocate(budget, {.bytes = 128 * kMiB})).value();
  const std::string value(88, 'v');
  for (auto _ : state) {
    state.PauseTiming();
    arena.Clear();
    for (std::size_t i = 0; i < kRecords; ++i) {
      const std::size_t key = shape.repeats == 1 ? i : random() % distinct.size();
      if (!arena.Append(MakeRecord(distinct[key], value), 0)) std::abort();
    }
    state.ResumeTiming();
    KeySorter(arena.data()).Sort(arena.entries());
  }
  ReportPerRecord(state, kRecords);
}
BENCHMARK_CAPTURE(BM_SortKeys, unique, KeyShape{0, 10, 1});
BENCHMARK_CAPTURE(BM_SortKeys, short_words, KeyShape{0, 7, 20});
BENCHMARK_CAPTURE(BM_SortKeys, long_words_repeated, KeyShape{0, 12, 20});
BENCHMARK_CAPTURE(BM_SortKeys, long_words_in_pairs, KeyShape{0, 12, 2});
BENCHMARK_CAPTURE(BM_SortKeys, one_long_key, KeyShape{20, 0, 1});
BENCHMARK_CAPTURE(BM_SortKeys, common_prefix_of_6, KeyShape{6, 10, 1});
BENCHMARK_CAPTURE(BM_SortKeys, common_prefix_of_40, KeyShape{40, 10, 1});

/// A segment that is thrown away.
class NullFile final : public SegmentFile {
 public:
  Status Append(std::string_view bytes) override {
    size_ += bytes.size();
    return OkStatus();
  }
  std::uint64_t size() const override { return size_; }
  bool on_disk() const override { return false; }
  Status Commit() override { return OkStatus(); }

 private:
  std::uint64_t size_ = 0;
};

/// Costs next to nothing, so that what is measured is the collector.
class FirstBytesPartition final : public PartitionFunction {
 public:
  explicit FirstBytesPartition(std::uint32_t partitions) : partitions_(partitions) {}
  Status Partition(std::span<const Record> records, std::uint32_t* out) override {
    for (const Record& record : records)
      *out++ =
          static_cast<std::uint32_t>(std::uint64_t{LoadBig32(record.key + 4)} * partitions_ >> 32);
    return OkStatus();
  }

 private:
  std::uint32_t partitions_;
};

/// Batches of 100-byte records that are hot in the cache, with fresh keys.
class RecordSource {
 public:
  static constexpr std::size_t kBatchRecords = 256;

  RecordSource() : bytes_(100 * kBatchRecords + 64, 'v') {
    for (std::size_t i = 0; i < kBatchRecords; ++i)
      records_.push_back({&bytes_[100 * i], &bytes_[100 * i + 10], 10, 90});
  }

  std::span<const Record> NextBatch() {
    for (std::size_t i = 0; i < kBatchRecords; ++i) {
      state_ += 0x9e3779b97f4a7c15u;
      StoreLittle(&bytes_[100 * i], (state_ ^ state_ >> 29) * 0xbf58476d1ce4e5b9u);
    }
    return records_;
  }

 private:
  std::string bytes_;
  std::vector<Record> records_;
  std::uint64_t state_ = kSeed;
};

constexpr std::size_t kCollectRecords = 2'000'000;

/// One map task's life: partitions in range(0), share in MiB in range(1).
void BM_CollectAndSpill(benchmark::State& state) {
  MemoryBudget budget(2 * kGiB);
  CollectorOptions options;
  options.partitions = static_cast<std::uint32_t>(state.range(0));
  options.memory_bytes = static_cast<std::uint64_t>(state.range(1)) * kMiB;
  options.budget = &budget;
  FirstBytesPartition partition(options.partitions);
  options.partition = &partition;
  for (auto _ : state) {
    NullFile file;
    SegmentWriter writer({}, options.partitions, file, {});
    SortCollector collector(options, writer);
    RecordSource source;
    for (std::size_t n = 0; n < kCollectRecords; n += RecordSource::kBatchRecords)
      if (!collector.Collect(source.NextBatch()).ok()) state.SkipWithError("Collect failed");
    if (!collector.Finish().ok()) state.SkipWithError("Finish failed");
  }
  ReportPerRecord(state, kCollectRecords);
}
BENCHMARK(BM_CollectAndSpill)
    ->Args({1, 64})
    ->Args({16, 64})
    ->Args({2000, 64})
    ->Args({16, 8})
    ->Args({16, 256})
    ->Unit(benchmark::kMillisecond);

enum class Half { kCollect, kSpill };

/// One run, of which one half is timed: Collect with the first touch of the arena's pages, or the
/// spill: bucket, sort, gather, checksum. Partitions in range(0).
void BM_Half(benchmark::State& state, Half half) {
  MemoryBudget budget(2 * kGiB);
  CollectorOptions options;
  options.partitions = static_cast<std::uint32_t>(state.range(0));
  options.budget = &budget;
  FirstBytesPartition partition(options.partitions);
  options.partition = &partition;
  constexpr std::size_t kRecords = 2000 * RecordSource::kBatchRecords;
  for (auto _ : state) {
    if (half == Half::kSpill) state.PauseTiming();
    NullFile file;
    SegmentWriter writer({}, options.partitions, file, {});
    SortCollector collector(options, writer);
    RecordSource source;
    for (std::size_t n = 0; n < kRecords; n += RecordSource::kBatchRecords)
      if (!collector.Collect(source.NextBatch()).ok()) state.SkipWithError("Collect failed");
    half == Half::kSpill ? state.ResumeTiming() : state.PauseTiming();
    if (!collector.Finish().ok()) state.SkipWithError("Finish failed");
    if (collector.stats().spills != 0) state.SkipWithError("more than one run");
    if (half == Half::kCollect) state.ResumeTiming();
  }
  ReportPerRecord(state, kRecords);
}
BENCHMARK_CAPTURE(BM_Half, collect, Half::kCollect)->Arg(1)->Arg(16);
BENCHMARK_CAPTURE(BM_Half, spill, Half::kSpill)->Arg(1)->Arg(16)->Arg(2000);

/// The copy into an arena whose pages are there.
void BM_AppendOnly(benchmark::State& state) {
  MemoryBudget budget(2 * kGiB);
  RecordArena arena = std::move(RecordArena::Allocate(budget, {.bytes = 64 * kMiB})).value();
  RecordSource source;
  constexpr std::size_t kRecords = 2000 * RecordSource::kBatchRecords;
  for (auto _ : state) {
    arena.Clear();
    for (std::size_t n = 0; n < kRecords; n += RecordSource::kBatchRecords)
      for (const Record& record : source.NextBatch())
        if (!arena.Append(record, record.key[7] & 15)) state.SkipWithError("full");
  }
  ReportPerRecord(state, kRecords);
}
BENCHMARK(BM_AppendOnly);

}  // namespace
}  // namespace spillway
