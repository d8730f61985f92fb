// SegmentServer: answers requests for ranges of segments (docs/formats/fetch.md). It keeps nothing
// between requests but opened segments, so that any request may be lost, come twice or come late.
// Handle belongs to one thread; the rest is thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "runtime/protocol/spillway.pb.h"
#include "runtime/transfer/open_segment_cache.h"
#include "runtime/transport/message.h"
#include "shuffle/store/segment_store.h"

namespace spillway {

struct SegmentServerOptions {
  std::uint32_t request_ranges_max = 256;
  std::uint64_t reply_bytes_max = 1 << 20;   ///< That one request may ask for.
  std::uint64_t index_bytes_max = 32 << 20;  ///< Memory for indexes of opened segments, about.
  std::string token_key;        ///< Registered::token_key; empty: no token is asked for, unless
  bool requires_token = false;  ///< says that SetTokenKey comes: until then nothing is served.
  std::function<std::uint64_t()> now_unix_ms;  ///< For tokens; empty: the system's clock.
};

/// The store that holds the segments of a job; null when the job is not here. Called by Handle.
using SegmentStoreFinder = std::function<std::shared_ptr<SegmentStore>(std::uint64_t job)>;

class SegmentServer {
 public:
  SegmentServer(SegmentStoreFinder stores, SegmentServerOptions options);

  struct Answer {
    wire::FetchReply reply;
    MessageBuffer payload;
  };

  /// The key by which tokens are checked from now on. Thread-safe.
  void SetTokenKey(std::string key);

  /// A status for each range: NotFound, the segment is not here; DataLoss, a block that is sent in
  /// one piece is not what was written, with its path; PermissionDenied, the token;
  /// InvalidArgument, the request breaks a limit or a range lies outside. A request with too many
  /// ranges has one.
  Answer Handle(const wire::FetchRequest& request);

  /// Closes what was opened: for a segment that is discarded, or a job that ended.
  void Forget(std::uint64_t job, const SegmentId& id) { segments_.Forget(job, id); }
  void ForgetJob(std::uint64_t job) { segments_.ForgetJob(job); }

 private:
  /// One range on its way: what of which segment, and whether it can be had.
  struct Slice {
    Status status;
    std::shared_ptr<OpenSegment> segment;
    std::uint64_t bytes = 0;
  };

  Status CheckRequest(const wire::FetchRequest& request) const;
  Slice Resolve(const wire::FetchRequest& request, const wire::FetchRange& range,
                SegmentStore* store);
  Status Read(const wire::FetchRequest& request, const wire::FetchRange& range, const Slice& slice,
              char* to);

  const SegmentStoreFinder stores_;
  const SegmentServerOptions options_;
  mutable std::mutex token_mutex_;
  std::string token_key_;  // Guarded by token_mutex_.
  OpenSegmentCache segments_;
};

}  // namespace spillway
