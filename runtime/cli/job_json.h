// What --json prints: one object per line, in a fixed order of fields, documented in
// docs/command.md. Bytes that are not UTF-8 (in paths and counters) become U+FFFD. Pure.
#pragma once

#include <string>

#include "runtime/local/local_runner.h"

namespace spillway {

/// {"event":"plan",...}; the reasons for each setting when `explain`.
std::string PlanJson(const JobPlan& plan, bool explain);

/// {"event":"progress",...}
std::string ProgressJson(const JobProgress& progress);

/// {"event":"summary",...}: all of the report with its status and the process's exit code.
std::string SummaryJson(const JobReport& report, int exit_code);

/// {"event":"submitted",...}
std::string SubmittedJson(const std::string& job_id, bool reattached);

std::string PluginJson(const PluginDescription& plugin);

}  // namespace spillway
