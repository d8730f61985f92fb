// LocalSegmentSource: segments of this process's own store, for the embedded runner. Thread-safe.
#pragma once

#include <map>
#include <mutex>

#include "runtime/transfer/segment_source.h"

namespace spillway {

class LocalSegmentSource final : public SegmentSource {
 public:
  /// `store` outlives the source and the readers.
  explicit LocalSegmentSource(SegmentStore& store) : store_(store) {}

  /// Opens the segment and calls `done` at once. The worker of the order is not looked at.
  void Fetch(FetchTicket ticket, const SegmentOrder& order, Done done) override;
  FetchTotals CancelAll(FetchTicket ticket) override;

 private:
  SegmentStore& store_;
  std::mutex mutex_;
  std::map<FetchTicket, FetchTotals> totals_;  // Guarded by mutex_.
};

/// Opens a segment where it lies.
Result<std::shared_ptr<const SegmentReader>> OpenSegmentIn(SegmentStore& store,
                                                           const SegmentId& id);

}  // namespace spillway
