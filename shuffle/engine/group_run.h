// Writes what a GroupTable holds as one sorted run of a segment. One thread.
#pragma once

#include "mapreduce/base/status.h"
#include "shuffle/engine/collector.h"
#include "shuffle/engine/group_table.h"
#include "shuffle/format/segment_writer.h"

namespace spillway {

/// Writes the values of each key as packed records, sorted by (partition, key) and in each key by
/// arrival, and clears the table. Sorts in the table's own memory. How a key's values are cut into
/// packs depends on the records since the table was empty, in their order, and on nothing else.
Status WriteGroupRun(GroupTable& table, const CollectorOptions& options, SegmentWriter& writer);

}  // namespace spillway
