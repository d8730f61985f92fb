#include "runtime/core/memory_plan.h"

#include <algorithm>

namespace spillway {
namespace {

// The allocator's loss and small things grow with the budget, but slowly.
constexpr std::uint64_t kReserveShare = 16;
constexpr std::uint64_t kReserveBytesMin = 1 * kMiB;
constexpr std::uint64_t kReserveBytesMax = 64 * kMiB;
// A writer keeps an extent for each partition of its current run, and a reader an index of them.
constexpr std::uint64_t kExtentBytes = 64;

constexpr std::uint64_t kThreadBytes = 192 * kKiB;

// A block is read, walked and thrown away: it should stay in the second-level cache on its way.
// Below 64 KiB the calls begin to show.
constexpr std::uint64_t kBufferShare = 16;
constexpr std::uint64_t kInputBufferBytesMax = 256 * kKiB;
constexpr std::uint64_t kOutputBufferBytesMax = 1 * kMiB;
constexpr std::uint64_t kBufferBytesMin = 64 * kKiB;
constexpr std::uint64_t kBufferUnitBytes = 4 * kKiB;

// A sort of 100-byte records takes 1.16 times their bytes with its entries, the last split of a
// file is 1.1 times as long, and the rest is room to place the entries by bucket.
constexpr std::uint64_t kTaskPercentOfSplit = 150;
// Where tasks could use everything, segments still get this share: the output of a fold is small
// and then never touches a disk.
constexpr std::uint64_t kSegmentShareMin = 8;

std::uint64_t LeastPerThread(const MemoryDemand& demand) {
  return kThreadBytes + 2 * kBufferBytesMin + demand.decoder_bytes + kTaskBytesMin;
}

std::uint64_t BufferBytes(std::uint64_t thread_share, std::uint64_t bytes_max) {
  const std::uint64_t bytes = thread_share / kBufferShare / kBufferUnitBytes * kBufferUnitBytes;
  return std::clamp(bytes, kBufferBytesMin, bytes_max);
}

/// Everything that one process needs beside its threads.
std::uint64_t ReserveBytes(const MemoryDemand& demand, std::uint32_t threads) {
  const std::uint64_t free_bytes =
      demand.total_bytes > demand.baseline_bytes ? demand.total_bytes - demand.baseline_bytes : 0;
  return std::clamp(free_bytes / kReserveShare, kReserveBytesMin, kReserveBytesMax) +
         std::uint64_t{2} * kExtentBytes * demand.reducers * threads;
}

std::uint64_t LeastBytes(const MemoryDemand& demand, std::uint32_t threads) {
  return demand.baseline_bytes + ReserveBytes(demand, threads) + threads * LeastPerThread(demand);
}

void Explain(const MemoryDemand& demand, std::uint64_t task_bytes_wanted, MemoryPlan& plan) {
  const auto add = [&](const char* setting, std::string reason) {
    plan.reasons.emplace_back(setting, std::move(reason));
  };
  add("threads", plan.threads == demand.threads
                     ? std::to_string(plan.threads) + ", by --threads or the number of cores"
                     : std::to_string(plan.threads) + " of " + std::to_string(demand.threads) +
                           ": " + FormatBytes(demand.total_bytes) + " hold no more, with " +
                           FormatBytes(LeastPerThread(demand)) + " each");
  add("baseline", FormatBytes(plan.baseline_bytes) + " resident before the job");
  add("reserve", FormatBytes(plan.reserve_bytes) + " for indexes of " +
                     FormatCount(demand.reducers) + " partitions and the allocator");
  add("thread", FormatBytes(plan.thread_bytes) + " of stack and arena for each thread");
  add("input buffer", FormatBytes(plan.input_buffer_bytes) + " for each thread, at most a " +
                          std::to_string(kBufferShare) + "th of its share");
  if (plan.decoder_bytes > 0)
    add("decoder", FormatBytes(plan.decoder_bytes) +
                       " for each thread: what the compressed input takes that takes most");
  add("output buffer", FormatBytes(plan.output_buffer_bytes) + " for each thread, at most a " +
                           std::to_string(kBufferShare) + "th of its share");
  add("task", plan.task_bytes >= task_bytes_wanted
                  ? FormatBytes(plan.task_bytes) + ": holds a split of " +
                        FormatBytes(demand.split_bytes) + " without a spill"
                  : FormatBytes(plan.task_bytes) + ": all there is, " +
                        FormatBytes(task_bytes_wanted) + " would hold a split of " +
                        FormatBytes(demand.split_bytes) + " without a spill");
  add("segments", FormatBytes(plan.segment_bytes) +
                      " of map outputs stay in memory, the rest goes to the spill directories");
}

}  // namespace

Result<MemoryPlan> PlanMemory(const MemoryDemand& demand) {
  if (demand.threads == 0) return InvalidArgument("threads is 0: at least one task must run");
  MemoryPlan plan;
  plan.threads = demand.threads;
  while (plan.threads > 1 && LeastBytes(demand, plan.threads) > demand.total_bytes) --plan.threads;
  if (LeastBytes(demand, 1) > demand.total_bytes) {
    return InvalidArgument(
        "a memory budget of " + FormatBytes(demand.total_bytes) + " is too small: " +
        FormatBytes(demand.baseline_bytes) + " are resident before the job starts" +
        (demand.decoder_bytes == 0 ? ""
                                   : ", and decoding the compressed input takes " +
                                         FormatBytes(demand.decoder_bytes) + " for each thread") +
        "; give at least " + FormatBytes(LeastBytes(demand, 1)));
  }
  plan.baseline_bytes = demand.baseline_bytes;
  plan.reserve_bytes = ReserveBytes(demand, plan.threads);
  plan.thread_bytes = kThreadBytes;

  const std::uint64_t free_bytes = demand.total_bytes - plan.baseline_bytes - plan.reserve_bytes;
  plan.decoder_bytes = demand.decoder_bytes;
  const std::uint64_t thread_share = free_bytes / plan.threads - plan.decoder_bytes;
  plan.input_buffer_bytes = BufferBytes(thread_share, kInputBufferBytesMax);
  plan.output_buffer_bytes = BufferBytes(thread_share, kOutputBufferBytesMax);

  const std::uint64_t task_share =
      thread_share - plan.thread_bytes - plan.input_buffer_bytes - plan.output_buffer_bytes;
  const std::uint64_t wanted =
      std::max(kTaskBytesMin, demand.split_bytes / 100 * kTaskPercentOfSplit +
                                  demand.split_bytes % 100 * kTaskPercentOfSplit / 100);
  const std::uint64_t task_bytes_most =
      std::max(kTaskBytesMin, task_share - task_share / kSegmentShareMin);
  plan.task_bytes = std::min(wanted, task_bytes_most);
  plan.segment_bytes = (demand.total_bytes - plan.sum_bytes()) / std::max(demand.processes, 1u);
  Explain(demand, wanted, plan);
  return plan;
}

}  // namespace spillway
