#include "shuffle/engine/sorted_groups.h"

#include <algorithm>

#include "shuffle/engine/arena_prefetch.h"

namespace spillway {

Result<GroupBatch> SortedGroups::Next() {
  const std::size_t end = std::min(sorted_.size(), next_ + kBatchRecords);
  Record previous{};
  if (next_ > 0 && next_ < end)
    previous = ArenaRecord(arena_ + sorted_[next_ - 1].offset()).record();
  records_.clear();
  groups_.clear();
  for (; next_ < end; ++next_) {
    PrefetchRecord(arena_, sorted_, next_);
    const Record record = ArenaRecord(arena_ + sorted_[next_].offset()).record();
    if (next_ == 0 || !order_.SameGroup(KeyOf(previous), KeyOf(record)))
      groups_.push_back(static_cast<std::uint32_t>(records_.size()));
    records_.push_back(record);
    previous = record;
  }
  return GroupBatch{records_, groups_};
}

}  // namespace spillway
