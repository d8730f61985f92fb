// SegmentSource: how a reduce task gets at the segments of its map tasks, wherever they lie. One
// interface over this process's own store (LocalSegmentSource) and over the workers of a cluster
// (ClusterSegmentSource). Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "mapreduce/base/status.h"
#include "shuffle/format/partition_range.h"
#include "shuffle/format/segment_reader.h"
#include "shuffle/store/segment_store.h"

namespace spillway {

/// Some partitions of one map output, at least one, and the worker that has it.
struct SegmentOrder {
  SegmentId id;
  std::uint32_t worker = 0;
  PartitionRange partitions;
  bool operator==(const SegmentOrder&) const = default;
};

/// Names the reduce attempt that fetches. Chosen by the caller; never used again in this source
/// once it was cancelled.
using FetchTicket = std::uint64_t;

/// What was done for one ticket.
struct FetchTotals {
  std::uint64_t segments = 0;       ///< Handed over.
  std::uint64_t network_bytes = 0;  ///< Received from other hosts for them, heads included.
  std::uint64_t restarts = 0;       ///< Segments that were begun anew after failed requests.
};

class SegmentSource {
 public:
  /// Called exactly once, from any thread, maybe before Fetch returns; must be quick, and must not
  /// call CancelAll. The reader shows each of the ordered partitions; others may not be readable.
  /// It may outlive the source, but not the stores under it.
  ///
  /// NotFound, DataLoss, Unavailable: the segment is lost to this reduce, and its map task must run
  /// again (SegmentLost). Cancelled: CancelAll was called. Anything else fails the attempt.
  using Done = std::function<void(Result<std::shared_ptr<const SegmentReader>>)>;

  virtual ~SegmentSource() = default;

  virtual void Fetch(FetchTicket ticket, const SegmentOrder& order, Done done) = 0;

  /// Ends a ticket. When this returns, each of its `done` has been called (with Cancelled where the
  /// segment was not there yet) and none is running. Every ticket ends so, after success too;
  /// a Fetch with it afterwards is Cancelled or counts as a new ticket.
  virtual FetchTotals CancelAll(FetchTicket ticket) = 0;
};

}  // namespace spillway
