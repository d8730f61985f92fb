#include "runtime/coordinator/partition_loads.h"

#include <algorithm>

#include "runtime/core/heavy_keys.h"

namespace spillway {

void PartitionLoads::Take(std::uint32_t partition, const wire::PartitionLoad& load) {
  if (partition >= loads_.size() || loads_[partition].run_us != 0) return;
  const std::uint64_t bytes = load.shuffled_bytes();
  const std::uint64_t most_bytes = loads_[hottest_].shuffled_bytes;
  const bool hottest =
      taken_ == 0 || bytes > most_bytes || (bytes == most_bytes && partition < hottest_);
  loads_[partition] = {bytes, load.records(), std::max<std::uint64_t>(1, load.run_us())};
  ++taken_;
  if (!hottest) return;
  hottest_ = partition;
  hottest_group_.set_key(load.largest_group().key().substr(0, kHeavyKeyBytesMax));
  hottest_group_.set_key_bytes(
      std::max<std::uint64_t>(load.largest_group().key_bytes(), hottest_group_.key().size()));
  hottest_group_.set_records(std::min(load.largest_group().records(), load.records()));
}

void PartitionLoads::Put(std::span<const std::uint64_t> map_bytes, wire::JobState& state) const {
  const bool expects = map_bytes.size() == loads_.size();
  if ((taken_ == 0 && !expects) || loads_.size() > kPartitionsToldMax) return;
  for (std::size_t i = 0; i < loads_.size(); ++i) {
    const Load& load = loads_[i];
    wire::PartitionLoad& told = *state.add_partitions();
    told.set_shuffled_bytes(load.run_us == 0 && expects ? map_bytes[i] : load.shuffled_bytes);
    told.set_records(load.records);
    told.set_run_us(load.run_us);
  }
  if (taken_ == 0) return;
  *state.mutable_partitions(static_cast<int>(hottest_))->mutable_largest_group() = hottest_group_;
}

}  // namespace spillway
