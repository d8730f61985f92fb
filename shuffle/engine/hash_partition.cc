#include "shuffle/engine/hash_partition.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace spillway {

Status HashPartition::Partition(std::span<const Record> records, std::uint32_t* out) {
  const bool whole_key = order_.group_bytes == nullptr;
  for (std::size_t i = 0; i < records.size(); ++i) {
    const Record& record = records[i];
    const std::string_view group = whole_key ? KeyOf(record) : order_.GroupOf(KeyOf(record));
    // The high half times the count, high word: even over the partitions, without a division.
    const std::uint64_t hash = XXH3_64bits(group.data(), group.size());
    out[i] = static_cast<std::uint32_t>(((hash >> 32) * partitions_) >> 32);
  }
  return OkStatus();
}

}  // namespace spillway
