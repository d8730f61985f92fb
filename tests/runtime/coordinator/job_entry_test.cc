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

}  // namespace
}  // namespace spillway
