// Nanoseconds per record of a fold: Zipf-distributed words, as word count emits them, in batches of
// views into a text. "Walk" makes the batches and does nothing with them: the part of the figure
// that is not the table. "UnorderedMap" is what one writes without a table of one's own.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "mapreduce/base/check.h"
#include "shuffle/engine/fold_run.h"
#include "shuffle/engine/fold_table.h"
#include "shuffle/format/segment_writer.h"
#include "shuffle/store/memory_budget.h"
#include "shuffle/store/memory_segment_store.h"

namespace spillway {
namespace {

constexpr std::uint64_t kSeed = 20'240'611;
constexpr std::size_t kWords = std::size_t{1} << 23;
constexpr std::size_t kBatch = 512;
constexpr double kZipf = 1.05;
constexpr std::uint64_t kRegionBytes = std::uint64_t{1} << 30;

struct Text {
  std::string bytes;
  std::vector<std::uint32_t> ends;  // of the words; one space behind each
};

// Frequent words are short, rare ones longer: about 5.5 letters on average over the text.
std::string WordOfRank(std::uint64_t rank) {
  std::string word;
  std::uint64_t rest = rank * 0x9e3779b97f4a7c15u;
  for (std::uint64_t room = rank; room != 0 || word.empty(); room /= 12) {
    word += static_cast<char>('a' + rest % 26);
    rest /= 26;
  }
  for (std::uint64_t number = rank; number != 0; number /= 26)
    word += static_cast<char>('a' + number % 26);
  return word;
}

const Text& TextOf(std::size_t vocabulary) {
  static std::map<std::size_t, Text> texts;
  Text& text = texts[vocabulary];
  if (!text.ends.empty()) return text;
  std::vector<double> below(vocabulary);
  std::vector<std::string> words(vocabulary);
  double sum = 0;
  for (std::size_t i = 0; i < vocabulary; ++i) {
    below[i] = sum += std::pow(static_cast<double>(i + 1), -kZipf);
    words[i] = WordOfRank(i);
  }
  std::mt19937_64 random(kSeed);
  std::uniform_real_distribution<double> uniform(0, sum);
  for (std::size_t i = 0; i < kWords; ++i) {
    const auto at = std::lower_bound(below.begin(), below.end(), uniform(random));
    text.bytes +=
        words[std::min<std::size_t>(static_cast<std::size_t>(at - below.begin()), vocabulary - 1)];
    text.ends.push_back(static_cast<std::uint32_t>(text.bytes.size()));
    text.bytes += ' ';
  }
  text.bytes.append(SPILLWAY_PADDING_BYTES, ' ');
  return text;
}

template <class Consume>
void ForEachBatch(const Text& text, Consume&& consume) {
  std::vector<Record> batch(kBatch);
  std::uint32_t begin = 0;
  for (std::size_t i = 0; i < text.ends.size(); i += kBatch) {
    const std::size_t count = std::min(kBatch, text.ends.size() - i);
    for (std::size_t j = 0; j < count; ++j) {
      const std::uint32_t end = text.ends[i + j];
      batch[j].key = text.bytes.data() + begin;
      batch[j].key_bytes = end - begin;
      batch[j].value_bytes = kInlineStateBytes;
      const std::uint64_t one = 1;
      std::memcpy(&batch[j].value, &one, sizeof one);
      begin = end + 1;
    }
    consume(std::span<const Record>(batch.data(), count));
  }
}

void Report(benchmark::State& state, std::size_t distinct) {
  state.counters["ns/record"] =
      benchmark::Counter(static_cast<double>(state.iterations()) * kWords / 1e9,
                         benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
  state.counters["distinct"] = static_cast<double>(distinct);
}

void Walk(benchmark::State& state) {
  const Text& text = TextOf(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state)
    ForEachBatch(text, [](std::span<const Record> batch) { benchmark::DoNotOptimize(batch[0]); });
  Report(state, 0);
}

void FoldWith(benchmark::State& state, bool portable) {
  const Text& text = TextOf(static_cast<std::size_t>(state.range(0)));
  FoldOptions options;
  options.portable = portable;
  std::size_t distinct = 0;
  for (auto _ : state) {
    MemoryBudget budget(kRegionBytes);
    Buffer region = std::move(Buffer::Allocate(budget, kRegionBytes)).value();
    FoldTable table(options, {region.data(), region.size()});
    ForEachBatch(text, [&](std::span<const Record> batch) { table.Fold(batch); });
    distinct = table.size();
  }
  Report(state, distinct);
}

// The whole cost of a task's table: memory, growth and all.
void Fold(benchmark::State& state) { FoldWith(state, false); }
void FoldPortable(benchmark::State& state) { FoldWith(state, true); }

// The same words once more through a table that knows them all.
void FoldAgain(benchmark::State& state) {
  const Text& text = TextOf(static_cast<std::size_t>(state.range(0)));
  MemoryBudget budget(kRegionBytes);
  Buffer region = std::move(Buffer::Allocate(budget, kRegionBytes)).value();
  FoldTable table({}, {region.data(), region.size()});
  ForEachBatch(text, [&](std::span<const Record> batch) { table.Fold(batch); });
  for (auto _ : state)
    ForEachBatch(text, [&](std::span<const Record> batch) { table.Fold(batch); });
  Report(state, table.size());
}

// The end of a task: sorting the table and writing it to a segment in memory.
void WriteRun(benchmark::State& state) {
  const Text& text = TextOf(static_cast<std::size_t>(state.range(0)));
  MemoryBudget budget(4 * kRegionBytes);
  Buffer region = std::move(Buffer::Allocate(budget, kRegionBytes)).value();
  FoldTable table({}, {region.data(), region.size()});
  std::size_t distinct = 0;
  for (auto _ : state) {
    state.PauseTiming();
    ForEachBatch(text, [&](std::span<const Record> batch) { table.Fold(batch); });
    distinct = table.size();
    MemorySegmentStore store(budget);
    auto file = std::move(store.Create({})).value();
    SegmentWriter writer({}, 1, *file, {});
    state.ResumeTiming();
    SPILLWAY_CHECK(WriteFoldRun(table, {}, writer).ok());
    SPILLWAY_CHECK(writer.Finish().ok());
  }
  state.counters["ns/distinct"] = benchmark::Counter(
      static_cast<double>(state.iterations()) * static_cast<double>(distinct) / 1e9,
      benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void UnorderedMap(benchmark::State& state) {
  const Text& text = TextOf(static_cast<std::size_t>(state.range(0)));
  std::size_t distinct = 0;
  for (auto _ : state) {
    std::unordered_map<std::string, std::uint64_t> map;
    ForEachBatch(text, [&](std::span<const Record> batch) {
      for (const Record& record : batch) map[std::string(KeyOf(record))] += InlineState(record);
    });
    distinct = map.size();
  }
  Report(state, distinct);
}

void Vocabularies(benchmark::internal::Benchmark* bench) {
  bench->Arg(10'000)->Arg(500'000)->Arg(5'000'000)->Unit(benchmark::kMillisecond);
}
BENCHMARK(Walk)->Apply(Vocabularies);
BENCHMARK(Fold)->Apply(Vocabularies);
BENCHMARK(FoldAgain)->Apply(Vocabularies);
BENCHMARK(FoldPortable)->Apply(Vocabularies);
BENCHMARK(WriteRun)->Apply(Vocabularies)->Iterations(3);
BENCHMARK(UnorderedMap)->Apply(Vocabularies)->Iterations(1);

}  // namespace
}  // namespace spillway
