// RecordLines: the pairs of a job as lines (docs/formats/lines.md): which fields a line of a job
// has, and records written as such. One thread.
#pragma once

#include <cstdint>
#include <span>

#include "mapreduce/base/status.h"
#include "runtime/filter/output_pipe.h"
#include "shuffle/engine/collector.h"
#include "shuffle/record/record.h"

namespace spillway {

/// What stands before the rest of the key, and decides the partition.
enum class LineLead { kKey, kGroup, kPartition };

/// Fields before the value.
inline std::uint32_t KeyFieldsOf(LineLead lead) { return lead == LineLead::kKey ? 1 : 2; }

/// The lines of a job. InvalidArgument for one whose keys do not sort by their bytes, and for one
/// that is iterative.
Result<LineLead> LineLeadOf(const spillway_job& job);

class RecordLines {
 public:
  /// All outlive this. `partition` is null but for LineLead::kPartition.
  RecordLines(LineLead lead, const spillway_job& job, PartitionFunction* partition, OutputPipe& out)
      : lead_(lead), job_(job), partition_(partition), out_(out) {}

  Status Write(std::span<const Record> records);

 private:
  static constexpr std::size_t kBatchRecords = 512;

  Status WriteBatch(std::span<const Record> records);

  const LineLead lead_;
  const spillway_job& job_;
  PartitionFunction* const partition_;
  OutputPipe& out_;
  std::uint32_t partitions_[kBatchRecords];
};

}  // namespace spillway
