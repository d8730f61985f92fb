#include "shuffle/engine/run_combiner.h"

#include "mapreduce/base/units.h"
#include "shuffle/engine/record_limit.h"
#include "shuffle/engine/sorted_groups.h"

namespace spillway {
namespace {

Status OutOfPlace(std::string_view key, const std::string& why) {
  return UserCodeError("combiner emitted key \"" + EscapeForLog(key) + "\" out of place: " + why +
                       "; emit the key of the group that is being combined");
}

}  // namespace

Status RunCombiner::Combine(const char* arena, std::span<const ArenaEntry> sorted,
                            std::uint32_t partition) {
  partition_records_ = 0;
  SortedGroups groups(arena, sorted, options_.order);
  return options_.combine->Combine(groups, [this, partition](std::span<const Record> emitted) {
    return Write(emitted, partition);
  });
}

Status RunCombiner::Write(std::span<const Record> emitted, std::uint32_t partition) {
  if (emitted.empty()) return OkStatus();
  SPILLWAY_RETURN_IF_ERROR(CheckPartitions(emitted, partition));
  std::string_view last = last_key_;
  for (const Record& record : emitted) {
    if (partition_records_ > 0 && options_.order.Compare(last, KeyOf(record)) > 0)
      return OutOfPlace(KeyOf(record),
                        "it sorts before its predecessor \"" + EscapeForLog(last) + "\"");
    if (record.key_bytes > kFieldBytesMax || record.value_bytes > kFieldBytesMax)
      return RecordTooLarge(record);
    SPILLWAY_RETURN_IF_ERROR(writer_.Add(partition, record));
    last = KeyOf(record);
    ++partition_records_;
  }
  last_key_.assign(last);
  records_out_ += emitted.size();
  return OkStatus();
}

Status RunCombiner::CheckPartitions(std::span<const Record> emitted, std::uint32_t partition) {
  if (options_.partitions == 1) return OkStatus();
  partition_ids_.resize(emitted.size());
  SPILLWAY_RETURN_IF_ERROR(options_.partition->Partition(emitted, partition_ids_.data()));
  for (std::size_t i = 0; i < emitted.size(); ++i) {
    if (partition_ids_[i] == partition) continue;
    return OutOfPlace(KeyOf(emitted[i]),
                      "it belongs to partition " + std::to_string(partition_ids_[i]) +
                          ", its group to partition " + std::to_string(partition));
  }
  return OkStatus();
}

}  // namespace spillway
