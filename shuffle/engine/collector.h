// Collector: the map side of the shuffle. It takes batches of records, orders them by (partition,
// key, arrival), and writes them as sorted runs into one segment, within a fixed share of memory.
// FoldCollector and SortCollector implement it. One task, one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "mapreduce/base/status.h"
#include "shuffle/format/segment_writer.h"
#include "shuffle/record/key_order.h"
#include "shuffle/store/memory_budget.h"

namespace spillway {

/// Chooses partitions for a batch: fills out[i] in [0, partitions).
class PartitionFunction {
 public:
  virtual ~PartitionFunction() = default;
  virtual Status Partition(std::span<const Record> records, std::uint32_t* out) = 0;
};

class GroupStream;

/// Runs the user's combiner over sorted groups. What it emits goes to `emit`, in group order and
/// with keys that stay in the group's place.
class CombineFunction {
 public:
  virtual ~CombineFunction() = default;
  virtual Status Combine(GroupStream& groups,
                         const std::function<Status(std::span<const Record>)>& emit) = 0;
};

struct FoldOptions;

struct CollectorOptions {
  std::uint32_t partitions = 1;
  KeyOrder order;
  PartitionFunction* partition = nullptr;  ///< Outlives the collector; null when partitions == 1.
  CombineFunction* combine = nullptr;      ///< Null: none.
  /// Write values in packs (shuffle/record/packed_values.h), for a ReduceInput that unpacks.
  /// Not with a combiner, nor with an order other than by bytes.
  bool pack_values = false;
  /// Of a sort collector: values are states of this fold, and those of the heaviest keys may be
  /// folded before they are written. Null: not. Not with a combiner or packed values.
  const FoldOptions* fold = nullptr;
  std::uint64_t memory_bytes = 64 << 20;  ///< The collector's share; it never takes more.
  MemoryBudget* budget = nullptr;         ///< The account the share is taken from.
};

struct CollectorStats {
  std::uint64_t records_in = 0;   ///< Handed to Collect.
  std::uint64_t bytes_in = 0;     ///< Their keys and values.
  std::uint64_t records_out = 0;  ///< Written to runs.
  std::uint64_t spills = 0;       ///< Runs beyond the first: memory ended before the input did.
  bool stepped_aside = false;     ///< The fold did not pay and sorting took over.
};

class Collector {
 public:
  virtual ~Collector() = default;

  /// Takes the records; nothing they view is kept. ResourceExhausted names a record that cannot
  /// fit the share at all.
  virtual Status Collect(std::span<const Record> batch) = 0;

  /// Sorts and writes what is left. The caller then finishes the writer.
  virtual Status Finish() = 0;

  virtual const CollectorStats& stats() const = 0;
};

}  // namespace spillway
