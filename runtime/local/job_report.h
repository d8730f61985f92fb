// What a coordinator says of a job, as the command shows it. Pure; any thread.
#pragma once

#include "runtime/local/job_runner.h"
#include "runtime/protocol/spillway.pb.h"

namespace spillway {

JobProgress ProgressOf(const wire::JobState& state);

SkewReport SkewOf(const wire::JobState& state);

/// Of a job that ended. Memory is not known: the job may have had many processes.
JobReport ReportOf(const wire::JobState& state);

}  // namespace spillway
