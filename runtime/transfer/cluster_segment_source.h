// ClusterSegmentSource: segments of the workers of a cluster. Those of this host are read from
// their files, those of other hosts are fetched. Thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "mapreduce/base/file_system.h"
#include "runtime/protocol/spillway.pb.h"
#include "runtime/transfer/segment_fetcher.h"
#include "runtime/transfer/segment_source.h"

namespace spillway {

struct ClusterSegmentSourceOptions {
  std::string host;  ///< Of this process; workers of the same one are read from their files.
  std::uint32_t worker = 0;  ///< Of this process; its place must be known like that of others.
  std::uint64_t job = 0;     ///< The cluster's number: its segments lie in JobDirectory.
  std::uint32_t open_files_max = 64;  ///< For each worker of this host.
};

class ClusterSegmentSource final : public SegmentSource {
 public:
  /// Both outlive the source and the readers.
  ClusterSegmentSource(FileSystem& files, SegmentFetcher& fetcher,
                       const ClusterSegmentSourceOptions& options);

  /// Where a worker's segments are, as the coordinator says; before a Fetch that names it. A worker
  /// that is gone fails what is being fetched from it, and what is ordered later.
  void SetPlace(const wire::WorkerPlace& place);

  /// Segments of this host are opened at once, on this thread. When that fails for a worker other
  /// than our own (a container's directories cannot be seen from outside, though its host has our
  /// name), the segment is fetched.
  void Fetch(FetchTicket ticket, const SegmentOrder& order, Done done) override;
  FetchTotals CancelAll(FetchTicket ticket) override;

 private:
  struct Place {
    std::shared_ptr<SegmentStore> files;  // Of a worker of this host.
    bool fetchable = false;
    bool gone = false;
  };

  FileSystem& files_;
  SegmentFetcher& fetcher_;
  const ClusterSegmentSourceOptions options_;
  std::mutex mutex_;
  std::map<std::uint32_t, Place> places_;      // Guarded by mutex_.
  std::map<FetchTicket, FetchTotals> totals_;  // Guarded by mutex_; without the fetcher's.
};

}  // namespace spillway
