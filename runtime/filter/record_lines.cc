#include "runtime/filter/record_lines.h"

#include <algorithm>

#include "runtime/filter/ordered_text.h"

namespace spillway {
namespace {

constexpr int kPartitionDigits = 5;  // As many as kReducersMax - 1 has.

char* PutPartition(std::uint32_t partition, char* to) {
  for (int i = kPartitionDigits - 1; i >= 0; --i, partition /= 10)
    to[i] = static_cast<char>('0' + partition % 10);
  return to + kPartitionDigits;
}

}  // namespace

Result<LineLead> LineLeadOf(const spillway_job& job) {
  if (job.loop != nullptr)
    return InvalidArgument(
        "the job is iterative, and has no one map and reduce. 'spillway run' runs it.");
  if (job.compare != nullptr && job.map_only == 0)
    return InvalidArgument(
        "the job has a SortBy of its own, so its keys do not sort by their bytes, and another "
        "system would sort them wrongly. Descending<T> in the key turns an order around without.");
  if (job.partition_kind == SPILLWAY_PARTITION_CUSTOM) return LineLead::kPartition;
  return job.group_bytes != nullptr ? LineLead::kGroup : LineLead::kKey;
}

Status RecordLines::Write(std::span<const Record> records) {
  while (!records.empty()) {
    const std::size_t count = std::min(kBatchRecords, records.size());
    SPILLWAY_RETURN_IF_ERROR(WriteBatch(records.first(count)));
    records = records.subspan(count);
  }
  return OkStatus();
}

Status RecordLines::WriteBatch(std::span<const Record> records) {
  if (partition_ != nullptr) SPILLWAY_RETURN_IF_ERROR(partition_->Partition(records, partitions_));
  for (std::size_t i = 0; i < records.size(); ++i) {
    const Record& record = records[i];
    std::string_view key = KeyOf(record);
    const std::uint64_t bytes = std::uint64_t{record.key_bytes} + record.value_bytes;
    SPILLWAY_ASSIGN_OR_RETURN(char* to,
                              out_.Room(kOrderedTextBytesMax * bytes + kPartitionDigits + 3));
    if (lead_ == LineLead::kPartition) {
      to = PutPartition(partitions_[i], to);
      *to++ = '\t';
    } else if (lead_ == LineLead::kGroup) {
      const std::string_view group = key.substr(0, job_.group_bytes(key.data(), record.key_bytes));
      to = PutOrderedText(group, to);
      *to++ = '\t';
      key.remove_prefix(group.size());
    }
    to = PutOrderedText(key, to);
    *to++ = '\t';
    to = PutOrderedText(ValueOf(record), to);
    *to++ = '\n';
    out_.Advance(to);
  }
  return OkStatus();
}

}  // namespace spillway
