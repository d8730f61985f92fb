// What a failure of user code is told with: the record or the key that it was at. Pure.
#pragma once

#include <optional>

#include "mapreduce/abi.h"
#include "mapreduce/base/status.h"
#include "runtime/core/attempt_id.h"
#include "shuffle/record/group_stream.h"

namespace spillway {

/// Names the input record at which user code failed, and says in `place` where it is. Failures of
/// the engine have their own place. `in_split`: as of RecordPlaceText.
Status AtRecord(const Status& status, const spillway_task& task, const spillway_block& block,
                bool in_split, std::optional<RecordPlace>* place);

/// Names the key at which user code failed, when it is one of the batch.
Status AtKey(const Status& status, const spillway_task& task, const GroupBatch& batch);

/// Remembers the last batch, for messages.
class LastBatch : public GroupStream {
 public:
  /// `inner` outlives this.
  explicit LastBatch(GroupStream& inner) : inner_(inner) {}
  Result<GroupBatch> Next() override {
    Result<GroupBatch> batch = inner_.Next();
    batch_ = batch.ok() ? *batch : GroupBatch{};
    return batch;
  }
  const GroupBatch& batch() const { return batch_; }

 private:
  GroupStream& inner_;
  GroupBatch batch_;
};

}  // namespace spillway
