// Pairs for grouping tests: inputs, a naive oracle, and a collector's segment read back through a
// ReduceInput. One thread.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "shuffle/engine/group_collector.h"
#include "shuffle/engine/reduce_input.h"
#include "shuffle/engine/sort_collector.h"
#include "shuffle/store/memory_segment_store.h"
#include "tests/shuffle/engine/fold_fixture.h"

namespace spillway {

using Pairs = std::vector<std::pair<std::string, std::string>>;

/// The pairs as a collector gets them: keys with padding behind, values without.
class PairRecords {
 public:
  explicit PairRecords(const Pairs& pairs) {
    for (const auto& [key, value] : pairs) keys_ += key;
    keys_.append(SPILLWAY_PADDING_BYTES, 'p');
    const char* key_at = keys_.data();
    for (const auto& [key, value] : pairs) {
      values_.push_back(std::make_unique<char[]>(value.size()));
      std::copy(value.begin(), value.end(), values_.back().get());
      records_.push_back(MakeRecord({key_at, key.size()}, {values_.back().get(), value.size()}));
      key_at += key.size();
    }
  }
  const std::vector<Record>& records() const { return records_; }

 private:
  std::string keys_;
  std::vector<std::unique_ptr<char[]>> values_;
  std::vector<Record> records_;
};

/// What a map task's collector made of pairs.
struct Grouped {
  std::vector<Pairs> partitions;  ///< As a reducer sees them.
  CollectorStats stats;
  std::uint64_t peak_bytes = 0;
  std::uint64_t encoded_records = 0;  ///< Packs, in all partitions.
  std::string segment;
  SegmentSummary summary;
};

/// Runs a collector over pairs and reads its segment back.
struct CollectPairs {
  enum class How { kGroup, kSortPacked, kSortPlain };

  How how = How::kGroup;
  std::uint32_t partitions = 1;
  std::uint64_t memory_bytes = 64 << 20;
  std::uint64_t budget_bytes = std::uint64_t{1} << 40;
  std::size_t batch_records = 512;
  std::uint64_t reduce_bytes = 32 << 20;

  Grouped Over(const Pairs& pairs) const {
    const SegmentId id{1, 2, 3};
    MemoryBudget store_budget(std::uint64_t{1} << 40);
    MemorySegmentStore store(store_budget);
    auto file = std::move(store.Create(id)).value();
    const RecordHash hash =
        how == How::kSortPlain ? RecordHash::kRecords : RecordHash::kPackedValues;
    SegmentWriter writer(id, partitions, *file, {.record_hash = hash});
    MemoryBudget budget(budget_bytes);
    SumPartition partition(partitions);
    CollectorOptions options;
    options.partitions = partitions;
    options.partition = partitions == 1 ? nullptr : &partition;
    options.memory_bytes = memory_bytes;
    options.budget = &budget;
    options.pack_values = how != How::kSortPlain;
    Grouped result;
    {
      std::unique_ptr<Collector> collector;
      if (how == How::kGroup)
        collector = std::make_unique<GroupCollector>(options, writer);
      else
        collector = std::make_unique<SortCollector>(options, writer);
      const PairRecords input(pairs);
      const std::span<const Record> records(input.records());
      for (std::size_t i = 0; i < records.size(); i += batch_records) {
        const Status status =
            collector->Collect(records.subspan(i, std::min(batch_records, records.size() - i)));
        EXPECT_TRUE(status.ok()) << status.message();
      }
      const Status status = collector->Finish();
      EXPECT_TRUE(status.ok()) << status.message();
      result.stats = collector->stats();
      result.peak_bytes = budget.peak_bytes();
    }
    // All is free again, or idle until somebody needs it.
    EXPECT_TRUE(budget.TryReserve(budget_bytes));
    result.summary = std::move(writer.Finish()).value();
    EXPECT_TRUE(file->Commit().ok());
    auto bytes = std::move(store.Open(id)).value();
    std::string scratch(bytes->size(), '\0');
    result.segment = std::move(bytes->ReadAt(0, bytes->size(), scratch.data())).value();
    ReadBack(store, id, result);
    return result;
  }

 private:
  void ReadBack(SegmentStore& store, const SegmentId& id, Grouped& result) const {
    auto opened = SegmentReader::Open(std::move(store.Open(id)).value(), id);
    ASSERT_TRUE(opened.ok()) << opened.status().message();
    MemoryBudget budget(std::uint64_t{1} << 40);
    for (std::uint32_t p = 0; p < partitions; ++p) {
      ReduceInputOptions options;
      options.partition = p;
      options.unpack_values = how != How::kSortPlain;
      options.memory_bytes = reduce_bytes;
      options.budget = &budget;
      options.scratch = &store;
      options.scratch_id = {1, kMergeTaskBase + p * kReduceMergesMax, 0};
      const auto input = ReduceInput::Open({opened.value()}, options);
      ASSERT_TRUE(input.ok()) << input.status().message();
      ReadGroups(**input, result.partitions.emplace_back());
      result.encoded_records += (*input)->stats().records;
    }
  }

  /// Appends the records, and checks that groups begin where keys change and nowhere else.
  static void ReadGroups(GroupStream& stream, Pairs& pairs) {
    for (;;) {
      const Result<GroupBatch> batch = stream.Next();
      ASSERT_TRUE(batch.ok()) << batch.status().message();
      if (batch->records.empty()) return;
      std::size_t group = 0;
      for (std::size_t i = 0; i < batch->records.size(); ++i) {
        const Record& record = batch->records[i];
        const bool begins = group < batch->groups.size() && batch->groups[group] == i;
        ASSERT_EQ(begins, pairs.empty() || pairs.back().first != KeyOf(record));
        group += begins;
        pairs.emplace_back(KeyOf(record), ValueOf(record));
      }
      ASSERT_EQ(group, batch->groups.size());
    }
  }
};

/// What reducers must see: by partition and key, values in order of arrival.
inline std::vector<Pairs> GroupNaively(const Pairs& pairs, std::uint32_t partitions) {
  std::vector<Pairs> expected(partitions);
  for (const auto& pair : pairs) expected[SumPartition::Of(pair.first, partitions)].push_back(pair);
  for (Pairs& part : expected)
    std::stable_sort(part.begin(), part.end(), [](const auto& a, const auto& b) {
      return CompareBytes(a.first, b.first) < 0;
    });
  return expected;
}

}  // namespace spillway
