// Writes what a FoldTable holds as one sorted run of a segment. One thread.
#pragma once

#include <cstdint>
#include <span>

#include "mapreduce/base/status.h"
#include "shuffle/engine/collector.h"
#include "shuffle/engine/fold_table.h"
#include "shuffle/format/segment_writer.h"

namespace spillway {

/// Writes one record per entry, key and state, sorted by (partition, key), and clears the table.
/// Sorts in the table's own memory. The run's bytes depend on keys and states alone.
Status WriteFoldRun(FoldTable& table, const CollectorOptions& options, SegmentWriter& writer);

/// Partitions of a batch of records; all 0 when the job has one. UserCode for a partition that does
/// not exist.
Status ChoosePartitions(const CollectorOptions& options, std::span<const Record> records,
                        std::uint32_t* out);

}  // namespace spillway
