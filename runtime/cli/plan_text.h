// A job's plan as people read it: --dry-run, --explain and the warning about scratch space. Pure.
#pragma once

#include <string>
#include <vector>

#include "runtime/cli/settings.h"
#include "runtime/local/job_runner.h"

namespace spillway {

/// The whole plan: plugin, input with the first few splits, shuffle, tasks, memory, scratch.
std::string PlanText(const JobPlan& plan);

/// Each setting with its value and the reason.
std::string ReasonsText(const JobPlan& plan);

/// Each setting that was named, and where.
std::string OriginsText(const Settings& settings);

/// What is wrong with the scratch space and what to do; empty when there is enough.
std::string ScratchWarning(const JobPlan& plan);

/// All that people should know before the job runs.
std::vector<std::string> PlanWarnings(const JobPlan& plan);

}  // namespace spillway
