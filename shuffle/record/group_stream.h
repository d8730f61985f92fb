// GroupStream: sorted records in groups, as the reducer sees them. A group may be larger than
// memory: it then stretches over several batches. One thread.
#pragma once

#include <cstdint>
#include <span>

#include "mapreduce/base/status.h"
#include "shuffle/record/record.h"

namespace spillway {

/// `groups[i]` is the index in `records` at which the i-th new group begins; records before
/// groups[0] go on with the group that the last batch ended with. Empty records: the end.
struct GroupBatch {
  std::span<const Record> records;
  std::span<const std::uint32_t> groups;
};

class GroupStream {
 public:
  virtual ~GroupStream() = default;
  /// The next batch; its views are valid until the next call. DataLoss names the segment.
  virtual Result<GroupBatch> Next() = 0;
};

}  // namespace spillway
