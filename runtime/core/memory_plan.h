// MemoryPlan: how a process divides its budget among what is resident already, task shares, their
// buffers and map outputs kept in memory. Pure arithmetic. Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "mapreduce/base/status.h"
#include "mapreduce/base/units.h"

namespace spillway {

struct MemoryDemand {
  std::uint64_t total_bytes = 0;     ///< The budget: --memory.
  std::uint64_t baseline_bytes = 0;  ///< Resident before the job: program, libraries, plugin.
  std::uint32_t threads = 1;         ///< Tasks that are to run at once.
  std::uint64_t split_bytes = 128 * kMiB;
  std::uint32_t reducers = 1;
  std::uint64_t decoder_bytes = 0;  ///< That decoding compressed input takes, per thread.
  /// That share the threads: of `threads` tasks over all of them, any may run in this one, but what
  /// is kept in memory between tasks is a share of each.
  std::uint32_t processes = 1;
};

/// baseline + reserve + threads * (thread + input buffer + decoder + output buffer + task) +
/// processes * segments is at most the budget.
struct MemoryPlan {
  std::uint32_t threads = 1;  ///< As asked, or fewer where the budget is too small.
  std::uint64_t baseline_bytes = 0;
  std::uint64_t reserve_bytes = 0;        ///< Indexes, messages, the allocator's own loss.
  std::uint64_t thread_bytes = 0;         ///< Stack and allocator arena, per thread.
  std::uint64_t input_buffer_bytes = 0;   ///< Reading splits, per thread.
  std::uint64_t decoder_bytes = 0;        ///< Decoding compressed input, per thread.
  std::uint64_t output_buffer_bytes = 0;  ///< Writing segments or output, per thread.
  std::uint64_t task_bytes = 0;           ///< A collector's or a merge's share, per thread.
  std::uint64_t segment_bytes = 0;        ///< Map outputs that stay in memory, of all tasks here.
  /// Setting -> how it was sized and why, for --explain. In the order of the fields.
  std::vector<std::pair<std::string, std::string>> reasons;

  std::uint64_t sum_bytes() const {
    return baseline_bytes + reserve_bytes + segment_bytes +
           threads * (thread_bytes + input_buffer_bytes + decoder_bytes + output_buffer_bytes +
                      task_bytes);
  }
};

/// Least that a task works with; a budget that cannot give it to `threads` tasks gives up threads.
inline constexpr std::uint64_t kTaskBytesMin = 512 * kKiB;

/// InvalidArgument, naming the least budget that would do, when not even one task fits.
Result<MemoryPlan> PlanMemory(const MemoryDemand& demand);

}  // namespace spillway
