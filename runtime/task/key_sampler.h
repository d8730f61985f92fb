// SampleKeys: runs the mapper over small pieces of the input, spread evenly, and keeps the keys
// that it emits; RangeCuts makes a range partitioner of them. The pieces depend on the splits only,
// so every run of a job gets the same cuts. Counters and output of the sampled records are dropped.
#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "mapreduce/base/file_system.h"
#include "runtime/task/block_reader.h"
#include "runtime/task/job_context.h"

namespace spillway {

struct KeySamplerOptions {
  std::size_t pieces_max = 32;
  std::uint64_t piece_bytes = 64 << 10;
  std::size_t keys_per_piece_max = 4096;
  std::uint64_t decoder_bytes = 0;  ///< See BlockReaderOptions.
};

/// `ranges` are the job's splits in order. A piece in which user code fails is passed over: the map
/// task that reads it will say so. Cancelled soon after `cancel_requested` is set.
Result<std::vector<std::string>> SampleKeys(const JobContext& job, FileSystem& files,
                                            const std::vector<SplitRange>& ranges,
                                            MemoryBudget& budget, const KeySamplerOptions& options,
                                            const std::atomic<bool>& cancel_requested);

}  // namespace spillway
