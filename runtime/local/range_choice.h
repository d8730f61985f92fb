// ChooseRangeCuts: where a job that partitions by ranges cuts its keys. Whoever prepares a job
// chooses them, once: they are part of the plan, and so of what makes the output the same bytes.
#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "mapreduce/base/file_system.h"
#include "runtime/local/prepared_job.h"
#include "shuffle/store/memory_budget.h"

namespace spillway {

/// Runs the mapper over a sample of the input; empty for a job that does not partition by ranges.
/// `spare` pays for blocks and for records longer than one. Cancelled when that was asked for.
Result<std::vector<std::string>> ChooseRangeCuts(const PreparedJob& job, FileSystem& files,
                                                 MemoryBudget& spare,
                                                 const std::atomic<bool>& cancel_requested);

}  // namespace spillway
