#include "shuffle/engine/sort_collector.h"

#include <algorithm>
#include <string>

#include "mapreduce/base/check.h"
#include "mapreduce/base/units.h"
#include "shuffle/engine/arena_prefetch.h"
#include "shuffle/engine/record_limit.h"
#include "shuffle/engine/single_pack.h"
#include "shuffle/engine/sorted_groups.h"

namespace spillway {
namespace {

/// What std::stable_sort takes from the heap for each entry, in orders other than by bytes.
constexpr std::uint64_t kSpareBytesForCustomOrder = sizeof(ArenaEntry) / 2;

/// What the collector needs beside the arena.
std::uint64_t SideBytes(const CollectorOptions& options) {
  const std::uint64_t buckets = 2 * sizeof(std::uint64_t) * options.partitions;
  const std::uint64_t combiner =
      options.combine == nullptr
          ? 0
          : SortedGroups::kBatchRecords * (sizeof(Record) + sizeof(std::uint32_t));
  return buckets + combiner + RunFolder::Bytes(options);
}

}  // namespace

SortCollector::SortCollector(const CollectorOptions& options, SegmentWriter& writer,
                             SortKernel kernel)
    : options_(options), writer_(writer), kernel_(kernel), buckets_(options.partitions) {
  SPILLWAY_CHECK(options.budget != nullptr);
  SPILLWAY_CHECK_GE(options.partitions, 1u);
  SPILLWAY_CHECK(options.partition != nullptr || options.partitions == 1);
  SPILLWAY_CHECK(!options.pack_values || (options.combine == nullptr && options.order.is_bytes()));
  SPILLWAY_CHECK(options.fold == nullptr || (options.combine == nullptr && !options.pack_values));
  if (options.combine != nullptr) combiner_ = std::make_unique<RunCombiner>(options_, writer_);
}

std::uint64_t SortCollector::ArenaBytes(const CollectorOptions& options) {
  const std::uint64_t share = options.memory_bytes;
  // A share so small that the sides would eat it is a test's; it still gets an arena.
  return std::max(share / 2, share - std::min(share, SideBytes(options)));
}

Status SortCollector::Collect(std::span<const Record> batch) {
  if (batch.empty()) return OkStatus();
  if (!arena_.allocated()) SPILLWAY_RETURN_IF_ERROR(Start());
  SPILLWAY_RETURN_IF_ERROR(CountIn(batch));
  SPILLWAY_RETURN_IF_ERROR(AssignPartitions(batch));
  for (std::size_t i = 0; i < batch.size(); ++i) {
    if (!arena_.Append(batch[i], partition_ids_[i])) [[unlikely]]
      SPILLWAY_RETURN_IF_ERROR(CollectIntoNextRun(batch[i], partition_ids_[i]));
    else
      buckets_.Count(partition_ids_[i]);
  }
  return OkStatus();
}

Status SortCollector::Finish() {
  SPILLWAY_RETURN_IF_ERROR(Spill());
  arena_ = RecordArena();
  return OkStatus();
}

Status SortCollector::Start() {
  if (options_.partitions > ArenaEntry::kPartitionsMax)
    return InvalidArgument("a job can have " + FormatCount(ArenaEntry::kPartitionsMax) +
                           " partitions, not " + FormatCount(options_.partitions) +
                           "; ask for fewer reducers");
  folder_ = RunFolder::Make(options_, writer_);
  RecordArena::Options arena;
  arena.bytes = ArenaBytes(options_);
  arena.spare_bytes_per_record = options_.order.is_bytes() ? 0 : kSpareBytesForCustomOrder;
  arena.pack_values = options_.pack_values;
  SPILLWAY_ASSIGN_OR_RETURN(arena_, RecordArena::Allocate(*options_.budget, arena));
  return OkStatus();
}

Status SortCollector::CountIn(std::span<const Record> batch) {
  std::uint64_t bytes = 0;
  for (const Record& record : batch) {
    if (std::max(record.key_bytes, record.value_bytes) > kFieldBytesMax) [[unlikely]]
      return RecordTooLarge(record);
    bytes += std::uint64_t{record.key_bytes} + record.value_bytes;
  }
  stats_.records_in += batch.size();
  stats_.bytes_in += bytes;
  return OkStatus();
}

Status SortCollector::AssignPartitions(std::span<const Record> batch) {
  if (partition_ids_.size() < batch.size()) partition_ids_.resize(batch.size());
  if (options_.partitions == 1) return OkStatus();
  SPILLWAY_RETURN_IF_ERROR(options_.partition->Partition(batch, partition_ids_.data()));
  for (std::size_t i = 0; i < batch.size(); ++i) {
    if (partition_ids_[i] < options_.partitions) [[likely]]
      continue;
    return UserCodeError("partitioner put key \"" + EscapeForLog(KeyOf(batch[i])) +
                         "\" into partition " + std::to_string(partition_ids_[i]) +
                         "; partitions go from 0 to " + std::to_string(options_.partitions - 1));
  }
  return OkStatus();
}

Status SortCollector::CollectIntoNextRun(const Record& record, std::uint32_t partition) {
  SPILLWAY_RETURN_IF_ERROR(Spill());
  if (!arena_.Append(record, partition)) return WriteAlone(record, partition);
  buckets_.Count(partition);
  return OkStatus();
}

Status SortCollector::WriteAlone(const Record& record, std::uint32_t partition) {
  BeginRun();
  if (options_.pack_values) {
    SPILLWAY_RETURN_IF_ERROR(WriteSinglePack(partition, record, writer_));
  } else {
    SPILLWAY_RETURN_IF_ERROR(writer_.Add(partition, record));
  }
  ++stats_.records_out;
  return writer_.FinishRun();
}

Status SortCollector::Spill() {
  if (arena_.empty()) return OkStatus();
  buckets_.Distribute(arena_.entries());
  KeySorter sorter(arena_.data(), kernel_);
  BeginRun();
  for (std::uint32_t p = 0; p < options_.partitions; ++p) {
    const std::span<ArenaEntry> bucket = buckets_.bucket(p);
    if (bucket.empty()) continue;
    if (options_.order.is_bytes()) {
      sorter.Sort(bucket);
    } else {
      sorter.SortBy(options_.order, bucket);
    }
    SPILLWAY_RETURN_IF_ERROR(WriteSorted(bucket, p));
  }
  arena_.Clear();
  buckets_.Clear();
  return writer_.FinishRun();
}

Status SortCollector::WriteSorted(std::span<const ArenaEntry> sorted, std::uint32_t partition) {
  if (combiner_ != nullptr) {
    const std::uint64_t before = combiner_->records_out();
    SPILLWAY_RETURN_IF_ERROR(combiner_->Combine(arena_.data(), sorted, partition));
    stats_.records_out += combiner_->records_out() - before;
    return OkStatus();
  }
  if (folder_ != nullptr) {
    const std::uint64_t before = folder_->records_out();
    SPILLWAY_RETURN_IF_ERROR(folder_->Write(arena_.data(), sorted, partition));
    stats_.records_out += folder_->records_out() - before;
    return OkStatus();
  }
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    PrefetchRecord(arena_.data(), sorted, i);
    const ArenaRecord record(arena_.data() + sorted[i].offset());
    SPILLWAY_RETURN_IF_ERROR(writer_.Add(partition, record.encoded()));
  }
  stats_.records_out += sorted.size();
  return OkStatus();
}

void SortCollector::BeginRun() {
  writer_.BeginRun();
  if (runs_++ > 0) ++stats_.spills;
}

}  // namespace spillway
