// BatchCache: the parsed batches of a seat's parts, for the rounds of a loop. They stay in memory
// as long as the budget has room; the others are saved to a segment of the store, and loaded again
// each time that they are read. One seat, one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "runtime/task/loop_object.h"
#include "shuffle/store/memory_budget.h"
#include "shuffle/store/segment_store.h"

namespace spillway {

class BatchCache {
 public:
  /// `id` names the segment; no other is committed under it. All arguments outlive the cache.
  BatchCache(const spillway_loop& loop, MemoryBudget& budget, SegmentStore& store,
             const SegmentId& id)
      : loop_(loop), budget_(budget), store_(store), id_(id) {}
  ~BatchCache();
  BatchCache(const BatchCache&) = delete;
  BatchCache& operator=(const BatchCache&) = delete;

  /// The batches that are added next belong to the next part.
  void BeginPart() { parts_.emplace_back(); }
  Status Add(LoopObject batch, TaskHost& host);
  /// After the last batch, before the first ForEach.
  Status Finish();

  std::size_t parts() const { return parts_.size(); }
  std::uint64_t batches() const { return batches_; }
  std::uint64_t saved_batches() const { return saved_; }
  std::uint64_t saved_bytes() const { return file_bytes_; }

  /// Gives the part's batches, in their order, until one is answered by a failure. Aborted: what
  /// was saved has changed.
  Status ForEach(std::size_t part, TaskHost& host,
                 const std::function<Status(const void* batch)>& each);

 private:
  struct Entry {
    LoopObject batch;  ///< Empty: saved.
    std::uint64_t charged = 0;
    std::uint64_t offset = 0, bytes = 0, xxh3 = 0;
  };

  Status Save(Entry& entry, const LoopObject& batch, TaskHost& host);
  Result<LoopObject> Load(const Entry& entry, TaskHost& host);

  const spillway_loop& loop_;
  MemoryBudget& budget_;
  SegmentStore& store_;
  const SegmentId id_;
  std::vector<std::vector<Entry>> parts_;
  std::unique_ptr<SegmentFile> file_;
  std::shared_ptr<SegmentBytes> saved_bytes_;
  std::uint64_t file_bytes_ = 0;
  std::uint64_t batches_ = 0, saved_ = 0;
  std::vector<char> scratch_;
};

}  // namespace spillway
