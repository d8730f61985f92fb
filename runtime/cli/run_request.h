// What `spillway run` was asked to do: the job for the runner, and how to talk about it. Pure but
// for looking into the plugin directory.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "mapreduce/base/status.h"
#include "runtime/cli/command_line.h"
#include "runtime/cli/settings.h"
#include "runtime/local/job_runner.h"
#include "runtime/local/job_spec.h"

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

/// --file NAME=PATH, by name. InvalidArgument for a name that is given twice.
Result<std::map<std::string, std::string>> ReadSideFiles(const CommandLine& line);

/// What a coordinator is told beside the job. InvalidArgument for a key that cannot be shown in a
/// line of a list.
Result<SubmissionOptions> ReadSubmission(const CommandLine& line);

/// Options that mean nothing for a job of this process; each is a slip of the pen.
Status CheckLocalOptions(const CommandLine& line);

/// Options that mean nothing for a chain of jobs.
Status CheckChainOptions(const CommandLine& line);

/// Flags that have no effect on a cluster, as sentences.
std::vector<std::string> ClusterWarnings(const CommandLine& line);

RunDisplay ReadRunDisplay(const CommandLine& line, const Settings& settings);

/// InvalidArgument for what is missing (all of it at once), for flags that contradict each other
/// and for an unknown job.
Result<JobRequest> BuildJobRequest(const CommandLine& line, const Settings& settings,
                                   const std::string& plugin_dir);

}  // namespace spillway
