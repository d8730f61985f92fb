// GroupMeter: what a reduce task is given: its records, and the key with the most of them. Costs a
// subtraction for each group. One task, one thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/core/heavy_keys.h"
#include "shuffle/record/group_stream.h"
#include "shuffle/record/key_order.h"

namespace spillway {

struct GroupSizes {
  std::uint64_t records = 0;
  std::uint64_t largest_records = 0;    ///< Of the largest group.
  std::string largest_key;              ///< What names it, cut at kHeavyKeyBytesMax.
  std::uint64_t largest_key_bytes = 0;  ///< Before the cut.
};

class GroupMeter : public GroupStream {
 public:
  /// `inner` outlives this.
  GroupMeter(GroupStream& inner, const KeyOrder& order) : inner_(inner), order_(order) {}

  Result<GroupBatch> Next() override {
    Result<GroupBatch> batch = inner_.Next();
    if (batch.ok()) Measure(*batch);
    return batch;
  }

  const GroupSizes& sizes() const { return sizes_; }

 private:
  void Measure(const GroupBatch& batch) {
    const auto records = static_cast<std::uint32_t>(batch.records.size());
    if (records == 0) return;
    sizes_.records += records;
    const std::uint32_t going_on = batch.groups.empty() ? records : batch.groups.front();
    open_records_ += going_on;
    if (going_on > 0) Note(open_records_, batch.records.front());
    if (batch.groups.empty()) return;
    std::uint32_t largest = records - batch.groups.back();
    open_records_ = largest;
    for (std::size_t i = 1; i < batch.groups.size(); ++i)
      largest = std::max(largest, batch.groups[i] - batch.groups[i - 1]);
    if (largest > sizes_.largest_records) NoteLargest(batch, largest);
  }

  void NoteLargest(const GroupBatch& batch, std::uint32_t largest) {
    for (std::size_t i = 0; i < batch.groups.size(); ++i) {
      const auto end = i + 1 < batch.groups.size()
                           ? batch.groups[i + 1]
                           : static_cast<std::uint32_t>(batch.records.size());
      if (end - batch.groups[i] == largest) return Note(largest, batch.records[batch.groups[i]]);
    }
  }

  void Note(std::uint64_t records, const Record& first) {
    if (records <= sizes_.largest_records) return;
    sizes_.largest_records = records;
    const std::string_view key = order_.GroupOf(KeyOf(first));
    sizes_.largest_key.assign(key.substr(0, kHeavyKeyBytesMax));
    sizes_.largest_key_bytes = key.size();
  }

  GroupStream& inner_;
  const KeyOrder order_;
  std::uint64_t open_records_ = 0;  ///< So far, of the group that the last batch ended with.
  GroupSizes sizes_;
};

}  // namespace spillway
