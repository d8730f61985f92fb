#include "shuffle/engine/fold_run.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "mapreduce/base/check.h"
#include "mapreduce/base/units.h"
#include "shuffle/engine/fold_sorter.h"

namespace spillway {
namespace {

constexpr std::size_t kPartitionBatch = 1024;

// Slots that are asked for before their turn, as the sorted order visits them at random.
constexpr std::size_t kPrefetchAhead = 12;

Record RecordOf(const FoldSlot& slot, std::uint32_t state_bytes) {
  return {slot.key_data(), slot.state_data(state_bytes), slot.key_bytes(), state_bytes};
}

class FoldRun {
 public:
  FoldRun(FoldTable& table, const CollectorOptions& options, SegmentWriter& writer)
      : options_(options),
        writer_(writer),
        state_bytes_(table.state_bytes()),
        slots_(table.Compact()),
        entries_(reinterpret_cast<FoldEntry*>(table.spare().data()), slots_.size()),
        bounds_(options.partitions + std::size_t{1}) {
    SPILLWAY_CHECK_LE(entries_.size_bytes(), table.spare().size());
  }

  Status Write() {
    SPILLWAY_RETURN_IF_ERROR(PartitionSlots());
    FillEntries();
    const FoldSorter sorter(slots_, options_.order);
    writer_.BeginRun();
    for (std::uint32_t p = 0; p < options_.partitions; ++p) {
      const auto part = entries_.subspan(bounds_[p], bounds_[p + 1] - bounds_[p]);
      sorter.Sort(part);
      SPILLWAY_RETURN_IF_ERROR(WriteSorted(p, part));
    }
    return writer_.FinishRun();
  }

 private:
  // The slots' hashes, needed no more, make room for their partitions.
  Status PartitionSlots() {
    std::array<Record, kPartitionBatch> records;
    std::array<std::uint32_t, kPartitionBatch> partitions;
    for (std::size_t begin = 0; begin < slots_.size(); begin += kPartitionBatch) {
      const std::size_t count = std::min(kPartitionBatch, slots_.size() - begin);
      for (std::size_t i = 0; i < count; ++i)
        records[i] = RecordOf(slots_[begin + i], state_bytes_);
      SPILLWAY_RETURN_IF_ERROR(
          ChoosePartitions(options_, {records.data(), count}, partitions.data()));
      for (std::size_t i = 0; i < count; ++i) {
        slots_[begin + i].set_hash(partitions[i]);
        ++bounds_[partitions[i] + 1];
      }
    }
    for (std::size_t p = 0; p < options_.partitions; ++p) bounds_[p + 1] += bounds_[p];
    return OkStatus();
  }

  void FillEntries() {
    std::vector<std::uint64_t> next(bounds_.begin(), bounds_.end() - 1);
    for (std::size_t i = 0; i < slots_.size(); ++i)
      entries_[next[slots_[i].hash()]++] = FoldEntry::Make(i, slots_[i]);
  }

  Status WriteSorted(std::uint32_t partition, std::span<const FoldEntry> part) {
    for (std::size_t i = 0; i < part.size(); ++i) {
      if (i + kPrefetchAhead < part.size())
        __builtin_prefetch(&slots_[part[i + kPrefetchAhead].slot()]);
      SPILLWAY_RETURN_IF_ERROR(
          writer_.Add(partition, RecordOf(slots_[part[i].slot()], state_bytes_)));
    }
    return OkStatus();
  }

  const CollectorOptions& options_;
  SegmentWriter& writer_;
  const std::uint32_t state_bytes_;
  std::span<FoldSlot> slots_;
  std::span<FoldEntry> entries_;
  std::vector<std::uint64_t> bounds_;  // partition p is entries_[bounds_[p], bounds_[p + 1])
};

}  // namespace

Status WriteFoldRun(FoldTable& table, const CollectorOptions& options, SegmentWriter& writer) {
  SPILLWAY_RETURN_IF_ERROR(FoldRun(table, options, writer).Write());
  table.Clear();
  return OkStatus();
}

Status ChoosePartitions(const CollectorOptions& options, std::span<const Record> records,
                        std::uint32_t* out) {
  if (options.partitions == 1) {
    std::fill_n(out, records.size(), 0u);
    return OkStatus();
  }
  SPILLWAY_RETURN_IF_ERROR(options.partition->Partition(records, out));
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (out[i] < options.partitions) [[likely]]
      continue;
    return UserCodeError("partitioner put key \"" + EscapeForLog(KeyOf(records[i])) +
                         "\" into partition " + std::to_string(out[i]) +
                         "; partitions go from 0 to " + std::to_string(options.partitions - 1));
  }
  return OkStatus();
}

}  // namespace spillway
