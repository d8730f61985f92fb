// What `spillway run` was asked to do: the job for the runner, and how to talk about it. Pure but
// for looking into the plugin directory.
#pragma once

#include <string>

#include "mapreduce/base/status.h"
#include "runtime/cli/command_line.h"
#include "runtime/cli/settings.h"
#include "runtime/local/job_runner.h"

namespace spillway {

enum class JsonOutput { kNone, kSummary, kEvents };
enum class ProgressOutput { kAuto, kPlain, kNone };

struct RunDisplay {
  bool dry_run = false;
  bool explain = false;
  bool quiet = false;
  bool verbose = false;
  bool no_color = false;
  JsonOutput json = JsonOutput::kNone;
  ProgressOutput progress = ProgressOutput::kAuto;
};

RunDisplay ReadRunDisplay(const CommandLine& line, const Settings& settings);

/// InvalidArgument for what is missing (all of it at once), for flags that contradict each other
/// and for an unknown job.
Result<JobRequest> BuildJobRequest(const CommandLine& line, const Settings& settings,
                                   const std::string& plugin_dir);

}  // namespace spillway
