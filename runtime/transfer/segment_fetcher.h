// SegmentFetcher: brings partitions of segments from other hosts' workers into a local store. One
// thread with a socket for each worker; FetchPlan decides, SegmentCopy receives. Thread-safe.
//
// The thread also writes to the store, which is memory or the page cache. That stops being right
// when a store waits for its disk: other fetches then wait too.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "runtime/transfer/fetch_loop.h"
#include "runtime/transfer/segment_source.h"
#include "runtime/transfer/wake_event.h"

namespace spillway {

class SegmentFetcher {
 public:
  /// All outlive the fetcher; `store` and `budget` also the readers that it hands over.
  SegmentFetcher(TransportContext& context, SegmentStore& store, MemoryBudget& budget,
                 const SegmentFetcherOptions& options);
  /// What is not finished is Cancelled.
  ~SegmentFetcher();
  SegmentFetcher(const SegmentFetcher&) = delete;
  SegmentFetcher& operator=(const SegmentFetcher&) = delete;

  /// For requests from now on (runtime/transport/fetch_token.h).
  void SetToken(std::string token, std::uint64_t expires_unix_ms);

  /// Where the worker answers. Another place than before: what was asked there times out, and is
  /// asked here.
  void SetSource(std::uint32_t worker, FetchEndpoint endpoint);
  /// The worker will never answer: what is fetched from it is Unavailable.
  void RemoveSource(std::uint32_t worker);

  /// See SegmentSource. `done` runs on the fetcher's thread. Unavailable for a worker that has no
  /// source.
  void Fetch(FetchTicket ticket, const SegmentOrder& order, SegmentSource::Done done);
  FetchTotals CancelAll(FetchTicket ticket);

 private:
  using Task = std::function<void()>;
  void Run();
  /// False when the fetcher is stopping: nothing runs any more.
  bool Post(Task task);

  FetchLoop loop_;  // The thread's.
  const WakeEvent wake_;
  std::mutex mutex_;
  std::vector<Task> tasks_;  // Guarded by mutex_. As many as callers have orders and tickets.
  bool stopping_ = false;    // Guarded by mutex_.
  std::thread thread_;
};

}  // namespace spillway
