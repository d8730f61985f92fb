// Nanoseconds per record of a map task's collector, from the first record to the last byte of the
// segment in memory. Words repeat as in a text and have postings of 12 bytes, as an inverted index
// emits them; unique keys of 10 bytes have values of 90, as in a sort. "Sort" is what the grouping
// replaces in the first case, and what it must not slow down in the second.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "mapreduce/base/check.h"
#include "shuffle/engine/group_collector.h"
#include "shuffle/engine/hash_partition.h"
#include "shuffle/engine/sort_collector.h"
#include "shuffle/store/memory_segment_store.h"

namespace spillway {
namespace {

constexpr std::uint64_t kSeed = 20'240'611;
constexpr std::size_t kBatch = 512;
constexpr std::size_t kWords = std::size_t{1} << 23;
constexpr std::size_t kVocabulary = 500'000;
constexpr double kZipf = 1.05;
constexpr std::size_t kUniqueRecords = std::size_t{1} << 20;
constexpr std::uint32_t kPartitions = 2;
constexpr std::uint64_t kShareBytes = std::uint64_t{512} << 20;

/// Records as views into one text, back to back.
struct Input {
  std::string text;
  std::vector<Record> records;

  void Add(std::size_t key_bytes, std::size_t value_bytes) {
    records.push_back({nullptr, nullptr, static_cast<std::uint32_t>(key_bytes),
                       static_cast<std::uint32_t>(value_bytes)});
  }
  void Finish() {
    text.append(SPILLWAY_PADDING_BYTES, 'p');
    const char* at = text.data();
    for (Record& record : records) {
      record.key = at;
      record.value = at + record.key_bytes;
      at = record.value + record.value_bytes;
    }
  }
};

const Input& Words() {
  static const Input input = [] {
    std::mt19937_64 random(kSeed);
    std::vector<double> below(kVocabulary);
    double sum = 0;
    for (std::size_t i = 0; i < kVocabulary; ++i)
      below[i] = sum += std::pow(static_cast<double>(i + 1), -kZipf);
    std::uniform_real_distribution<double> uniform(0, sum);
    Input words;
    for (std::uint64_t i = 0; i < kWords; ++i) {
      const auto rank = static_cast<std::uint64_t>(
          std::lower_bound(below.begin(), below.end(), uniform(random)) - below.begin());
      std::string word;
      for (std::uint64_t left = rank + 1; left != 0; left /= 20)
        word += static_cast<char>('a' + (left * 7 + rank) % 26);
      char posting[12] = {};
      StoreBig64(posting + 4, i * 6);
      words.text.append(word).append(posting, sizeof posting);
      words.Add(word.size(), sizeof posting);
    }
    words.Finish();
    return words;
  }();
  return input;
}

const Input& UniqueKeys() {
  static const Input input = [] {
    std::mt19937_64 random(kSeed);
    Input records;
    for (std::size_t i = 0; i < kUniqueRecords; ++i) {
      for (int byte = 0; byte < 10; ++byte) records.text += static_cast<char>(random());
      records.text.append(90, 'v');
      records.Add(10, 90);
    }
    records.Finish();
    return records;
  }();
  return input;
}

template <class CollectorType>
void Collect(benchmark::State& state, const Input& input) {
  MemoryBudget budget(std::uint64_t{8} << 30);
  HashPartition partition(kPartitions, {});
  CollectorOptions options;
  options.partitions = kPartitions;
  options.partition = &partition;
  options.memory_bytes = kShareBytes;
  options.budget = &budget;
  options.pack_values = true;
  const std::span<const Record> records(input.records);
  std::uint64_t segment_bytes = 0;
  for (auto _ : state) {
    MemorySegmentStore store(budget);
    auto file = std::move(store.Create({})).value();
    SegmentWriter writer({}, kPartitions, *file, {});
    CollectorType collector(options, writer);
    for (std::size_t i = 0; i < records.size(); i += kBatch)
      SPILLWAY_CHECK(
          collector.Collect(records.subspan(i, std::min(kBatch, records.size() - i))).ok());
    SPILLWAY_CHECK(collector.Finish().ok());
    segment_bytes = std::move(writer.Finish()).value().stored_bytes;
  }
  state.counters["ns/record"] = benchmark::Counter(
      static_cast<double>(state.iterations()) * static_cast<double>(records.size()) / 1e9,
      benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
  state.counters["segment_bytes/record"] =
      static_cast<double>(segment_bytes) / static_cast<double>(records.size());
}

void GroupWords(benchmark::State& state) { Collect<GroupCollector>(state, Words()); }
void SortWords(benchmark::State& state) { Collect<SortCollector>(state, Words()); }
void GroupUniqueKeys(benchmark::State& state) { Collect<GroupCollector>(state, UniqueKeys()); }
void SortUniqueKeys(benchmark::State& state) { Collect<SortCollector>(state, UniqueKeys()); }

BENCHMARK(GroupWords)->Unit(benchmark::kMillisecond);
BENCHMARK(SortWords)->Unit(benchmark::kMillisecond);
BENCHMARK(GroupUniqueKeys)->Unit(benchmark::kMillisecond);
BENCHMARK(SortUniqueKeys)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace spillway
