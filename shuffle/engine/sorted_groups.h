// SortedGroups: the sorted records of an arena as the groups that a combiner reads. One thread.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "shuffle/record/group_stream.h"
#include "shuffle/record/key_order.h"
#include "shuffle/sort/arena_entry.h"

namespace spillway {

class SortedGroups : public GroupStream {
 public:
  static constexpr std::size_t kBatchRecords = 1024;

  /// `arena` and `sorted` outlive the stream and do not change under it.
  SortedGroups(const char* arena, std::span<const ArenaEntry> sorted, const KeyOrder& order)
      : arena_(arena), sorted_(sorted), order_(order) {}

  Result<GroupBatch> Next() override;

 private:
  const char* arena_;
  std::span<const ArenaEntry> sorted_;
  KeyOrder order_;
  std::size_t next_ = 0;
  std::vector<Record> records_;
  std::vector<std::uint32_t> groups_;
};

}  // namespace spillway
