#include "shuffle/engine/range_partition.h"

#include <algorithm>

#include "mapreduce/base/coding.h"

namespace spillway {

std::vector<std::string> RangeCuts(std::vector<std::string> sample, std::uint32_t partitions) {
  std::sort(sample.begin(), sample.end());
  std::vector<std::string> cuts;
  for (std::uint32_t i = 1; i < partitions && !sample.empty(); ++i) {
    const std::size_t at = sample.size() * i / partitions;
    if (cuts.empty() || sample[at] != cuts.back()) cuts.push_back(sample[at]);
  }
  return cuts;
}

RangePartition::RangePartition(std::vector<std::string> cuts, const KeyOrder& order)
    : cuts_(std::move(cuts)), order_(order) {
  for (const std::string& cut : cuts_)
    prefixes_.push_back(KeyPrefix(cut.data(), static_cast<std::uint32_t>(cut.size())));
}

Status RangePartition::Partition(std::span<const Record> records, std::uint32_t* out) {
  for (std::size_t i = 0; i < records.size(); ++i) {
    const std::string_view key = order_.GroupOf(KeyOf(records[i]));
    const std::uint64_t prefix = KeyPrefix(key.data(), static_cast<std::uint32_t>(key.size()));
    // Prefixes decide nearly always; cuts that share the key's prefix are compared in full.
    auto at = static_cast<std::size_t>(
        std::lower_bound(prefixes_.begin(), prefixes_.end(), prefix) - prefixes_.begin());
    while (at < cuts_.size() && prefixes_[at] == prefix && CompareBytes(cuts_[at], key) <= 0) ++at;
    out[i] = static_cast<std::uint32_t>(at);
  }
  return OkStatus();
}

}  // namespace spillway
