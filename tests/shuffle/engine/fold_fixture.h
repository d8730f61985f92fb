// Folds for tests: inputs, the operations, a naive oracle, and a collector's segment read back.
// One thread.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "shuffle/engine/fold_collector.h"
#include "shuffle/format/segment_reader.h"
#include "shuffle/format/segment_writer.h"
#include "shuffle/store/memory_segment_store.h"

namespace spillway {

/// A fold as the engine gets it, and its name for messages.
struct FoldCase {
  const char* name;
  FoldOptions options;
};

namespace fold_test {

inline std::uint64_t Word(const void* state, std::size_t i) {
  return LoadLittle<std::uint64_t>(static_cast<const char*>(state) + 8 * i);
}
inline void SetWord(void* state, std::size_t i, std::uint64_t value) {
  StoreLittle(static_cast<char*>(state) + 8 * i, value);
}

inline void XorOne(void* const* states, const void* const* values, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i)
    SetWord(states[i], 0, Word(states[i], 0) ^ Word(values[i], 0));
}

inline void SumAndMax(void* const* states, const void* const* values, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    SetWord(states[i], 0, Word(states[i], 0) + Word(values[i], 0));
    SetWord(states[i], 1, std::max(Word(states[i], 1), Word(values[i], 1)));
  }
}

inline void SumMinXor(void* const* states, const void* const* values, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    SetWord(states[i], 0, Word(states[i], 0) + Word(values[i], 0));
    SetWord(states[i], 1, std::min(Word(states[i], 1), Word(values[i], 1)));
    SetWord(states[i], 2, Word(states[i], 2) ^ Word(values[i], 2));
  }
}

}  // namespace fold_test

inline std::vector<FoldCase> AllFolds() {
  return {{"sum", {SPILLWAY_FOLD_SUM_U64}},
          {"min_u64", {SPILLWAY_FOLD_MIN_U64}},
          {"max_u64", {SPILLWAY_FOLD_MAX_U64}},
          {"min_i64", {SPILLWAY_FOLD_MIN_I64}},
          {"max_i64", {SPILLWAY_FOLD_MAX_I64}},
          {"custom_8", {SPILLWAY_FOLD_CUSTOM, 8, &fold_test::XorOne}},
          {"custom_16", {SPILLWAY_FOLD_CUSTOM, 16, &fold_test::SumAndMax}},
          {"custom_24", {SPILLWAY_FOLD_CUSTOM, 24, &fold_test::SumMinXor}}};
}

/// Folds one state into another, one at a time and without the engine.
inline void FoldNaively(const FoldOptions& fold, std::string& into, const std::string& value) {
  const std::uint64_t a = fold_test::Word(into.data(), 0), b = fold_test::Word(value.data(), 0);
  const auto signed_a = static_cast<std::int64_t>(a), signed_b = static_cast<std::int64_t>(b);
  void* state = into.data();
  const void* other = value.data();
  switch (fold.kind) {
    case SPILLWAY_FOLD_SUM_U64: return fold_test::SetWord(state, 0, a + b);
    case SPILLWAY_FOLD_MIN_U64: return fold_test::SetWord(state, 0, a < b ? a : b);
    case SPILLWAY_FOLD_MAX_U64: return fold_test::SetWord(state, 0, a < b ? b : a);
    case SPILLWAY_FOLD_MIN_I64: return fold_test::SetWord(state, 0, signed_a < signed_b ? a : b);
    case SPILLWAY_FOLD_MAX_I64: return fold_test::SetWord(state, 0, signed_a < signed_b ? b : a);
    default: return fold.combine(&state, &other, 1);
  }
}

using States = std::map<std::string, std::string>;

inline void FoldInto(const FoldOptions& fold, States& states, const std::string& key,
                     const std::string& value) {
  const auto [at, is_new] = states.try_emplace(key, value);
  if (!is_new) FoldNaively(fold, at->second, value);
}

/// Records with states of one width. Keys lie back to back, so that what follows a key is another
/// key's bytes, as in a text.
class FoldInput {
 public:
  explicit FoldInput(std::uint32_t state_bytes) : state_bytes_(state_bytes) {}

  void Add(std::string_view key, std::string_view state) {
    fields_.push_back({keys_.size(), key.size()});
    keys_ += key;
    states_ += state;
  }
  void Add(std::string_view key, std::mt19937_64& random) {
    std::string state(state_bytes_, '\0');
    for (std::size_t i = 0; i < state_bytes_ / 8; ++i)
      fold_test::SetWord(state.data(), i, random());
    Add(key, state);
  }
  void AddOne(std::string_view key) { Add(key, std::string_view("\1\0\0\0\0\0\0\0", 8)); }

  std::size_t size() const { return fields_.size(); }

  /// Views, valid until the next Add.
  std::vector<Record> records() {
    padded_ = keys_ + std::string(SPILLWAY_PADDING_BYTES, 'p');
    std::vector<Record> records;
    for (std::size_t i = 0; i < fields_.size(); ++i) {
      const char* state = states_.data() + i * state_bytes_;
      Record record =
          MakeRecord({padded_.data() + fields_[i].first, fields_[i].second}, {state, state_bytes_});
      if (state_bytes_ == 8) std::memcpy(&record.value, state, 8);
      records.push_back(record);
    }
    return records;
  }

  States Folded(const FoldOptions& fold) const {
    States states;
    for (std::size_t i = 0; i < fields_.size(); ++i)
      FoldInto(fold, states, keys_.substr(fields_[i].first, fields_[i].second),
               states_.substr(i * state_bytes_, state_bytes_));
    return states;
  }

 private:
  const std::uint32_t state_bytes_;
  std::string keys_;
  std::string padded_;
  std::string states_;
  std::vector<std::pair<std::size_t, std::size_t>> fields_;
};

/// A key of 0 to `bytes_max` bytes, often of the lengths where things change, from few letters,
/// NUL and 0xff among them.
inline std::string RandomKey(std::mt19937_64& random, std::size_t bytes_max) {
  static constexpr std::size_t kEdges[] = {0, 1, 7, 8, 9, 15, 16, 17, 24};
  std::size_t bytes =
      random() % 2 == 0 ? kEdges[random() % std::size(kEdges)] : random() % (bytes_max + 1);
  std::string key(std::min(bytes, bytes_max), '\0');
  for (char& c : key) c = "\0a\xff"[random() % 3];
  return key;
}

/// XXH3 would do; this is simple and known to be a function of the key.
class SumPartition : public PartitionFunction {
 public:
  explicit SumPartition(std::uint32_t partitions) : partitions_(partitions) {}
  static std::uint32_t Of(std::string_view key, std::uint32_t partitions) {
    std::uint32_t sum = 17;
    for (const char c : key) sum = sum * 31 + static_cast<unsigned char>(c);
    return sum % partitions;
  }
  Status Partition(std::span<const Record> records, std::uint32_t* out) override {
    for (std::size_t i = 0; i < records.size(); ++i) out[i] = Of(KeyOf(records[i]), partitions_);
    return OkStatus();
  }

 private:
  const std::uint32_t partitions_;
};

/// What a collector made of an input.
struct Collected {
  std::string segment;  ///< All its bytes.
  /// runs[r][p]: the records of run r, partition p, in order.
  std::vector<std::vector<std::vector<std::pair<std::string, std::string>>>> runs;
  CollectorStats stats;
  std::uint64_t peak_bytes = 0;  ///< Of the collector's budget.

  /// All runs folded together.
  States Folded(const FoldOptions& fold) const {
    States states;
    for (const auto& run : runs)
      for (const auto& part : run)
        for (const auto& [key, state] : part) FoldInto(fold, states, key, state);
    return states;
  }

  std::uint64_t records() const {
    std::uint64_t count = 0;
    for (const auto& run : runs)
      for (const auto& part : run) count += part.size();
    return count;
  }
};

/// Runs a FoldCollector over `input` in batches of `batch_records`.
struct CollectFold {
  FoldOptions fold = {};
  std::uint32_t partitions = 1;
  KeyOrder order = {};
  std::uint64_t memory_bytes = 64 << 20;
  std::uint64_t budget_bytes = std::uint64_t{1} << 40;
  std::size_t batch_records = 512;

  Collected Over(FoldInput& input) const {
    const SegmentId id{1, 2, 3};
    MemoryBudget store_budget(std::uint64_t{1} << 40);
    MemorySegmentStore store(store_budget);
    auto file = std::move(store.Create(id)).value();
    SegmentWriter writer(id, partitions, *file, {});
    MemoryBudget budget(budget_bytes);
    SumPartition partition(partitions);
    Collected result;
    {
      FoldCollector collector({.partitions = partitions,
                               .order = order,
                               .partition = partitions == 1 ? nullptr : &partition,
                               .memory_bytes = memory_bytes,
                               .budget = &budget},
                              fold, writer);
      const std::vector<Record> records = input.records();
      for (std::size_t i = 0; i < records.size(); i += batch_records) {
        const Status status =
            collector.Collect({records.data() + i, std::min(batch_records, records.size() - i)});
        EXPECT_TRUE(status.ok()) << status.message();
      }
      const Status status = collector.Finish();
      EXPECT_TRUE(status.ok()) << status.message();
      result.stats = collector.stats();
      result.peak_bytes = budget.peak_bytes();
    }
    // All is free again, or idle until somebody needs it.
    EXPECT_TRUE(budget.TryReserve(budget_bytes));
    EXPECT_TRUE(writer.Finish().ok());
    EXPECT_TRUE(file->Commit().ok());
    ReadBack(store, id, result);
    return result;
  }

 private:
  static void ReadBack(SegmentStore& store, const SegmentId& id, Collected& result) {
    auto bytes = std::move(store.Open(id)).value();
    std::string scratch(bytes->size(), '\0');
    result.segment = std::move(bytes->ReadAt(0, bytes->size(), scratch.data())).value();
    auto opened = SegmentReader::Open(bytes, id);
    ASSERT_TRUE(opened.ok()) << opened.status().message();
    const SegmentReader& reader = *opened.value();
    MemoryBudget budget(std::uint64_t{1} << 40);
    for (std::uint32_t run = 0; run < reader.runs(); ++run) {
      auto& parts = result.runs.emplace_back(reader.partitions());
      for (std::uint32_t p = 0; p < reader.partitions(); ++p) {
        const auto source = reader.OpenRun(run, p, budget, {});
        Block block;
        for (;;) {
          const Result<bool> more = source->Next(&block);
          ASSERT_TRUE(more.ok()) << more.status().message();
          if (!*more) break;
          const char* at = block.bytes.data();
          for (std::uint32_t i = 0; i < block.records; ++i) {
            Record record = {};
            at = DecodeRecord(at, block.bytes.data() + block.bytes.size(), &record);
            ASSERT_NE(at, nullptr);
            parts[p].emplace_back(KeyOf(record), ValueOf(record));
          }
        }
      }
    }
  }
};

/// Keys of every run and partition ascend, without doubles where the fold wrote them, and are
/// where they belong.
inline void ExpectSorted(const Collected& collected, const KeyOrder& order = {}) {
  for (const auto& run : collected.runs) {
    for (std::uint32_t p = 0; p < run.size(); ++p) {
      for (std::size_t i = 0; i < run[p].size(); ++i) {
        ASSERT_EQ(SumPartition::Of(run[p][i].first, static_cast<std::uint32_t>(run.size())), p);
        if (i == 0) continue;
        const int relation = order.Compare(run[p][i - 1].first, run[p][i].first);
        ASSERT_LE(relation, 0);
        ASSERT_TRUE(collected.stats.stepped_aside || run[p][i - 1].first != run[p][i].first);
      }
    }
  }
}

}  // namespace spillway
