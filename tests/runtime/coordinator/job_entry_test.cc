#include "runtime/coordinator/job_entry.h"

#include <gtest/gtest.h>

#include "tests/runtime/coordinator/machine_bench.h"

namespace spillway {
namespace {

TEST(JobEntry, AJobThatDidNotSucceedTellsHowFarItCame) {
  JobEntry job = NewJobEntry(1, "j", SampleSpec(4, 3));
  job.maps_counted = 2;
  job.parts[1].epoch = 1;
  job.status = Cancelled("enough");
  job.ended_ms = 5;
  const wire::JobState killed = job.State(nullptr, 5);
  EXPECT_EQ(killed.maps_done(), 2u);
  EXPECT_EQ(killed.reduces_done(), 1u);
  job.status = OkStatus();
  const wire::JobState done = job.State(nullptr, 5);
  EXPECT_EQ(done.maps_done(), 4u);
  EXPECT_EQ(done.reduces_done(), 3u);
}

TEST(JobEntry, AJobThatEndedStillTellsHowItsReduceWorkWasCut) {
  JobEntry job = NewJobEntry(1, "j", SampleSpec(4, 3));
  job.Apply({.splits = {{.partition = 2, .pieces = 4}}, .joins = {{.first = 0, .count = 2}}});
  job.counted_combines[3] = true;
  job.joined_parts = 1;
  wire::PartitionLoad load;
  load.set_run_us(1);
  job.loads.Take(0, load);
  job.ended_ms = 5;
  const wire::JobState state = job.State(nullptr, 5);
  EXPECT_EQ(state.combines_total(), 4u);
  EXPECT_EQ(state.combines_done(), 1u);
  EXPECT_EQ(state.joined_partitions(), 1u);
  ASSERT_EQ(state.partitions_size(), 3);
  EXPECT_EQ(state.partitions(0).pieces(), 0u);
  EXPECT_EQ(state.partitions(2).pieces(), 4u);
}

}  // namespace
}  // namespace spillway
