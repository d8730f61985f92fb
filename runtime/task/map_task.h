// A map task: reads its splits, runs the mapper, and leaves one committed segment; or, in a
// map-only job, one part file. Runs a whole attempt on the calling thread.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "mapreduce/base/file_system.h"
#include "runtime/core/attempt_id.h"
#include "runtime/core/heavy_keys.h"
#include "runtime/task/block_reader.h"
#include "runtime/task/job_context.h"
#include "runtime/task/part_sink.h"
#include "shuffle/engine/collector.h"
#include "shuffle/format/segment_writer.h"
#include "shuffle/store/segment_store.h"

namespace spillway {

struct MapTaskSpec {
  std::uint32_t index = 0;
  std::uint32_t attempt = 0;
  std::vector<SplitRange> ranges;  ///< In order.
  std::vector<RecordPlace> skips;  ///< Records to pass over, ascending.
};

/// What a map task works with. Everything outlives the task.
struct MapTaskResources {
  const JobContext& job;
  FileSystem& files;
  SegmentStore* segments = nullptr;  ///< Null in a map-only job.
  PartSink& part;                    ///< Without reducers for all it writes; else its directories.
  MemoryBudget& budget;
  std::uint64_t memory_bytes = 64 << 20;  ///< The collector's share of the budget.
  MemoryBudget& spare;                    ///< For records longer than a block.
  SegmentWriterOptions writer;
  BlockReaderOptions reader;
  AttemptControl& control;
};

struct MapTaskResult {
  Status status;
  std::optional<RecordPlace>
      bad_record;  ///< Where the user's code failed, when it was on a record.
  SegmentSummary segment;
  bool segment_on_disk = false;
  CollectorStats collected;
  std::uint64_t input_records = 0;
  std::uint64_t input_bytes = 0;
  std::uint64_t output_records = 0;  ///< Of a map-only job.
  std::uint64_t left_bytes = 0;      ///< Of a loop: what its parts left for the folds.
  CounterValues counters;
  HeavyKeys heavy_keys;  ///< Of what the collector was given.
};

MapTaskResult RunMapTask(const MapTaskSpec& spec, const MapTaskResources& resources);

}  // namespace spillway
