// Nanoseconds per record of merging k sorted runs, grouping included: the batched merge, the loser
// tree, and std::priority_queue over the same decoded blocks as what one would write first.
//
// "records" are 100 bytes with random 10-byte keys; "words" are short keys of which few are
// different, with 8-byte values. The blocks lie ready in memory, so that only the merge is
// measured.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <queue>
#include <random>
#include <string>
#include <vector>

#include "mapreduce/base/check.h"
#include "shuffle/merge/batch_merge.h"
#include "shuffle/merge/tree_merge.h"

namespace spillway {
namespace {

constexpr std::size_t kRecords = 8'000'000;
constexpr std::size_t kBlockBytes = 64 << 10;

enum Kind { kRecords100, kWords };

struct StoredBlock {
  std::string bytes;
  std::uint32_t records = 0;
};
using StoredRun = std::vector<StoredBlock>;

class StoredBlocks : public BlockSource {
 public:
  explicit StoredBlocks(const StoredRun& run) : run_(run) {}
  Result<bool> Next(Block* block) override {
    if (next_ == run_.size()) return false;
    *block = {{run_[next_].bytes.data(), run_[next_].bytes.size() - SPILLWAY_PADDING_BYTES},
              run_[next_].records};
    ++next_;
    return true;
  }
  std::uint64_t buffer_bytes() const override { return 0; }

 private:
  const StoredRun& run_;
  std::size_t next_ = 0;
};

std::string MakeKey(Kind kind, std::mt19937_64& random) {
  if (kind == kRecords100) {
    std::string key(10, '\0');
    StoreLittle(key.data(), random());
    StoreLittle(key.data() + 8, static_cast<std::uint16_t>(random()));
    return key;
  }
  // Ranks about like those of words in a text: the n-th is seen 1/n as often as the first.
  const double uniform = static_cast<double>(random() >> 11) * 0x1p-53;
  const auto word = static_cast<std::uint64_t>(std::exp(uniform * std::log(500'000.0)));
  std::string key;
  for (std::uint64_t left = word * 0x9e3779b97f4a7c15u >> 20, n = 2 + word % 9; n > 0; --n) {
    key += static_cast<char>('a' + left % 26);
    left /= 26;
  }
  return key;
}

StoredRun MakeRun(Kind kind, std::size_t records, std::mt19937_64& random) {
  std::vector<std::string> keys(records);
  for (std::string& key : keys) key = MakeKey(kind, random);
  std::sort(keys.begin(), keys.end());
  const std::string value(kind == kRecords100 ? 88 : 8, 'v');
  StoredRun run;
  const auto close_block = [&] { run.back().bytes.append(SPILLWAY_PADDING_BYTES, '\0'); };
  for (const std::string& key : keys) {
    const Record record = MakeRecord(key, value);
    const std::size_t bytes = EncodedBytes(record.key_bytes, record.value_bytes);
    if (run.empty() || run.back().bytes.size() + bytes > kBlockBytes) {
      if (!run.empty()) close_block();
      run.emplace_back().bytes.reserve(kBlockBytes + SPILLWAY_PADDING_BYTES);
    }
    StoredBlock& block = run.back();
    block.bytes.resize(block.bytes.size() + bytes);
    EncodeRecord(record, block.bytes.data() + block.bytes.size() - bytes);
    ++block.records;
  }
  if (!run.empty()) close_block();
  return run;
}

/// One data set at a time: each is close to a gigabyte.
const std::vector<StoredRun>& RunsOf(Kind kind, std::size_t k) {
  static std::vector<StoredRun> runs;
  static std::pair<Kind, std::size_t> held{kRecords100, 0};
  if (held == std::pair{kind, k}) return runs;
  runs.clear();
  std::mt19937_64 random(k);
  for (std::size_t i = 0; i < k; ++i) runs.push_back(MakeRun(kind, kRecords / k, random));
  held = {kind, k};
  return runs;
}

std::vector<std::unique_ptr<BlockSource>> Open(const std::vector<StoredRun>& runs) {
  std::vector<std::unique_ptr<BlockSource>> sources;
  for (const StoredRun& run : runs) sources.push_back(std::make_unique<StoredBlocks>(run));
  return sources;
}

struct Count {
  std::size_t records = 0;
  std::size_t groups = 0;
};

template <class Merge>
Count CountGroups(const std::vector<StoredRun>& runs) {
  Merge merge(Open(runs), MergeOptions{});
  Count count;
  for (;;) {
    Result<GroupBatch> batch = merge.Next();
    SPILLWAY_CHECK(batch.ok());
    if (batch->records.empty()) return count;
    benchmark::DoNotOptimize(batch->records.data());
    count.records += batch->records.size();
    count.groups += batch->groups.size();
  }
}

/// The plain way: a heap of the runs' heads.
class QueueMerge {};
template <>
Count CountGroups<QueueMerge>(const std::vector<StoredRun>& runs) {
  struct Head {
    Record record;
    const char* next;
    const char* end;
    std::uint32_t rank;
  };
  const auto after = [](const Head& a, const Head& b) {
    const int order = CompareBytes(KeyOf(a.record), KeyOf(b.record));
    return order != 0 ? order > 0 : a.rank > b.rank;
  };
  const auto sources = Open(runs);
  std::priority_queue<Head, std::vector<Head>, decltype(after)> queue(after);
  const auto push = [&](Head head) {
    if (head.next == head.end) {
      Block block;
      if (!*sources[head.rank]->Next(&block)) return;
      head.next = block.bytes.data();
      head.end = head.next + block.bytes.size();
    }
    head.next = DecodeRecord(head.next, head.end, &head.record);
    queue.push(head);
  };
  for (std::uint32_t rank = 0; rank < sources.size(); ++rank) push({{}, nullptr, nullptr, rank});
  Count count;
  std::string last;
  while (!queue.empty()) {
    const Head head = queue.top();
    queue.pop();
    if (count.records == 0 || last != KeyOf(head.record)) {
      last = KeyOf(head.record);
      ++count.groups;
    }
    ++count.records;
    push(head);
  }
  return count;
}

template <class Merge>
void BM_Merge(benchmark::State& state, Kind kind) {
  const auto& runs = RunsOf(kind, static_cast<std::size_t>(state.range(0)));
  Count count;
  for (auto _ : state) count = CountGroups<Merge>(runs);
  SPILLWAY_CHECK_EQ(count.records, kRecords / runs.size() * runs.size());
  state.counters["ns_per_record"] = benchmark::Counter(
      static_cast<double>(count.records) * 1e-9,
      benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
  state.counters["groups"] = static_cast<double>(count.groups);
}

/// Benchmarks run in the order of their registration, so that those of one data set are together.
const bool kRegistered = [] {
  for (const auto& [kind, name] : {std::pair{kRecords100, "records"}, std::pair{kWords, "words"}})
    for (const int k : {2, 8, 64, 1024}) {
      const auto add = [&, kind = kind, name = name](const char* way, auto* run) {
        benchmark::RegisterBenchmark((std::string("merge/") + name + "/" + way).c_str(), run, kind)
            ->Arg(k)
            ->Unit(benchmark::kMillisecond)
            ->MinTime(0.5);
      };
      add("batch", &BM_Merge<BatchMerge>);
      add("loser_tree", &BM_Merge<TreeMerge>);
      add("priority_queue", &BM_Merge<QueueMerge>);
    }
  return true;
}();

}  // namespace
}  // namespace spillway
