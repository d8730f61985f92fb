// HybridSegmentStore: segments in memory for as long as the budget has room. One that is being
// written when the room ends moves to the disk store and goes on there; committed ones stay where
// they are. Thread-safe; a file belongs to one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>

#include "shuffle/store/memory_segment_store.h"
#include "shuffle/store/segment_store.h"

namespace spillway {

class HybridSegmentStore final : public SegmentStore {
 public:
  /// `budget` and `disk` outlive the store and its segments.
  HybridSegmentStore(MemoryBudget& budget, SegmentStore& disk,
                     const MemorySegmentStoreOptions& options = {})
      : memory_(budget, options), disk_(disk) {}

  Result<std::unique_ptr<SegmentFile>> Create(const SegmentId& id) override;
  Result<std::shared_ptr<SegmentBytes>> Open(const SegmentId& id) override;
  Status Discard(const SegmentId& id) override;
  std::uint64_t spilled_bytes() const override { return disk_.spilled_bytes(); }

 private:
  class File;
  Status Publish(const SegmentId& id, std::unique_ptr<SegmentChunks> chunks, SegmentFile* on_disk);

  MemorySegmentStore memory_;
  SegmentStore& disk_;
  std::mutex commit_mutex_;  // One commit at a time, so that the first of two stays.
};

}  // namespace spillway
