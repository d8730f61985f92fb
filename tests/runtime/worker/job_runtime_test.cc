#include "runtime/worker/job_runtime.h"

#include <memory>

#include "mapreduce/base/units.h"
#include "shuffle/store/disk_segment_store.h"
#include "tests/places.h"
#include "tests/runtime/worker/engine_fixture.h"

namespace spillway {
namespace {

MemoryPlan PlanFor(std::uint64_t bytes, std::uint32_t processes) {
  return PlanMemory(
             {.total_bytes = bytes, .threads = 2, .split_bytes = kMiB, .processes = processes})
      .value();
}

// Batches may lie where an ordinary job keeps its segments, also when memory was divided anew.
TEST(JobRuntime, ALoopKeepsTheShareOfSegmentsWhenItIsAloneAgain) {
  TestJob job(TestPlugin("faulty"), {"well"}, "one\n", 1, 1);
  job.start.mutable_spec()->mutable_loop()->set_parts(1);
  const auto plugin =
      PluginJob::Configure(PluginLibrary::Load(TestPlugin("faulty")).value(), {"well"}).value();
  DiskSegmentStore store(job.files, {.directories = {job.scratch()}});
  const MemoryPlan alone = PlanFor(256 * kMiB, 1);
  JobRuntime runtime(job.start, *plugin, alone, job.files, store);
  const std::uint64_t at_first = runtime.task_budget.total_bytes();
  EXPECT_EQ(at_first, 2 * alone.task_bytes + SegmentBudgetBytes(alone));

  runtime.Replan(PlanFor(128 * kMiB, 2), 2);
  EXPECT_LT(runtime.task_budget.total_bytes(), at_first);
  runtime.Replan(alone, 1);
  EXPECT_EQ(runtime.task_budget.total_bytes(), at_first);
}

}  // namespace
}  // namespace spillway
