// Writes what a FoldTable holds as one sorted run of a segment. One thread.
#pragma once

#include "mapreduce/base/status.h"
#include "shuffle/engine/collector.h"
#include "shuffle/engine/fold_table.h"
#include "shuffle/format/segment_writer.h"

namespace spillway {

/// Writes one record per entry, key and state, sorted by (partition, key), and clears the table.
/// Sorts in the table's own memory. The run's bytes depend on keys and states alone.
Status WriteFoldRun(FoldTable& table, const CollectorOptions& options, SegmentWriter& writer);

}  // namespace spillway
