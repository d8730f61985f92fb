#include "shuffle/engine/table_order.h"

#include <algorithm>
#include <array>
#include <string>

#include "mapreduce/base/check.h"
#include "mapreduce/base/units.h"

namespace spillway {
namespace {

constexpr std::size_t kPartitionBatch = 1024;

}  // namespace

TableOrder::TableOrder(FoldTable& table, const CollectorOptions& options)
    : options_(options),
      slots_(table.Compact()),
      entries_(reinterpret_cast<FoldEntry*>(table.spare().data()), slots_.size()),
      bounds_(options.partitions + std::size_t{1}),
      sorter_(slots_, options.order) {
  SPILLWAY_CHECK_LE(entries_.size_bytes(), table.spare().size());
}

// The slots' hashes, needed no more, make room for their partitions. A partition is a function of
// the key, and so the records have nothing else.
Status TableOrder::AssignPartitions() {
  std::array<Record, kPartitionBatch> records;
  std::array<std::uint32_t, kPartitionBatch> partitions;
  for (std::size_t begin = 0; begin < slots_.size(); begin += kPartitionBatch) {
    const std::size_t count = std::min(kPartitionBatch, slots_.size() - begin);
    for (std::size_t i = 0; i < count; ++i) {
      const FoldSlot& slot = slots_[begin + i];
      records[i] = {slot.key_data(), nullptr, slot.key_bytes(), 0};
    }
    SPILLWAY_RETURN_IF_ERROR(
        ChoosePartitions(options_, {records.data(), count}, partitions.data()));
    for (std::size_t i = 0; i < count; ++i) {
      slots_[begin + i].set_hash(partitions[i]);
      ++bounds_[partitions[i] + 1];
    }
  }
  for (std::size_t p = 0; p < options_.partitions; ++p) bounds_[p + 1] += bounds_[p];
  FillEntries();
  return OkStatus();
}

void TableOrder::FillEntries() {
  std::vector<std::uint64_t> next(bounds_.begin(), bounds_.end() - 1);
  for (std::size_t i = 0; i < slots_.size(); ++i)
    entries_[next[slots_[i].hash()]++] = FoldEntry::Make(i, slots_[i]);
}

std::span<const FoldEntry> TableOrder::Sort(std::uint32_t partition) {
  const auto part =
      entries_.subspan(bounds_[partition], bounds_[partition + 1] - bounds_[partition]);
  sorter_.Sort(part);
  return part;
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
