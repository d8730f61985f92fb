#include "runtime/core/worker_memory.h"

#include <gtest/gtest.h>

#include <random>

#include "mapreduce/base/units.h"
#include "runtime/core/memory_plan.h"

namespace spillway {
namespace {

TEST(WorkerMemory, GivesTheOnlyJobOfASingleSlotAllButTheDaemonsPart) {
  const WorkerMemory memory(1 * kGiB, 1);
  EXPECT_EQ(memory.executor_bytes(1), 1 * kGiB - WorkerMemory::kDaemonBytes);
}

TEST(WorkerMemory, KeepsRoomForOneMoreExecutorWhereTasksRunWhenItComes) {
  const WorkerMemory memory(1 * kGiB, 2);
  EXPECT_EQ(memory.executor_bytes(1),
            1 * kGiB - WorkerMemory::kDaemonBytes - WorkerMemory::kExecutorBytes);
}

TEST(WorkerMemory, AnnouncesFewerSlotsWhereTheMemoryCannotCarryAJobInEach) {
  EXPECT_EQ(WorkerMemory(128 * kMiB, 64).slots(), 2u);
  EXPECT_EQ(WorkerMemory(16 * kMiB, 64).slots(), 1u);
  EXPECT_EQ(WorkerMemory(64 * kGiB, 64).slots(), 64u);
}

/// All slots busy, in as many executors as there may be: what they plan for is what there is.
TEST(WorkerMemory, NeverPlansMoreThanTheBudgetHoweverTasksLieOnExecutors) {
  for (std::uint32_t seed = 0; seed < 20'000; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    const std::uint64_t total = 64 * kMiB + (random() % 1'000) * (random() % 1'000) * 64 * kKiB;
    const WorkerMemory memory(total, 1 + static_cast<std::uint32_t>(random() % 128));
    const auto executors = 1 + static_cast<std::uint32_t>(random() % memory.executors_max());
    const auto plan = PlanMemory({.total_bytes = memory.executor_bytes(executors),
                                  .baseline_bytes = 20 * kMiB,
                                  .threads = memory.slots(),
                                  .split_bytes = random() % kGiB,
                                  .processes = executors});
    if (!plan.ok()) {  // Only where even one executor with one task would not fit.
      ASSERT_EQ(memory.slots(), 1u) << plan.status().message();
      ASSERT_LT(total, 2 * (WorkerMemory::kExecutorBytes + WorkerMemory::kDaemonBytes));
      continue;
    }
    ASSERT_EQ(plan->threads, memory.slots());
    const std::uint64_t each_slot = plan->thread_bytes + plan->input_buffer_bytes +
                                    plan->output_buffer_bytes + plan->task_bytes;
    ASSERT_LE(WorkerMemory::kDaemonBytes + plan->reserve_bytes + memory.slots() * each_slot +
                  executors * plan->segment_bytes + plan->baseline_bytes +
                  (executors - 1) * WorkerMemory::kExecutorBytes,
              std::max(total, 2 * WorkerMemory::kDaemonBytes));
  }
}

}  // namespace
}  // namespace spillway
