#include "runtime/cli/run_request.h"

#include <utility>
#include <vector>

#include "mapreduce/base/units.h"
#include "runtime/cli/job_catalog.h"
#include "runtime/cli/option_value.h"

namespace spillway {
namespace {

constexpr std::uint64_t kRetriesDefault = 3;

Status CheckContradictions(const CommandLine& line) {
  if (line.Has("quiet") && line.Has("verbose"))
    return InvalidArgument("--quiet and --verbose contradict each other. Keep one.");
  if (line.Has("plugin") && !line.operands.empty())
    return InvalidArgument("the job is named twice, as '" + EscapeForLog(line.operands[0]) +
                           "' and by --plugin " + EscapeForLog(line.Value("plugin")) +
                           ". Keep one.");
  return OkStatus();
}

Status CheckPresence(const CommandLine& line) {
  std::vector<std::string> missing;
  if (line.operands.empty() && !line.Has("plugin")) missing.emplace_back("JOB");
  if (!line.Has("input")) missing.emplace_back("-i PATH");
  if (!line.Has("output")) missing.emplace_back("-o DIR");
  if (missing.empty()) return OkStatus();
  std::string message = "missing: ";
  for (std::size_t i = 0; i < missing.size(); ++i) message += (i == 0 ? "" : ", ") + missing[i];
  const bool is_stream = line.command->name == "stream";
  message += ". Write spillway " + std::string(line.command->name) +
             (is_stream ? " -m CMD -r CMD" : " JOB") + " -i PATH... -o DIR.";
  if (line.operands.empty() && line.Has("input"))
    message += " JOB comes first: -i takes all words up to the next option.";
  return InvalidArgument(message);
}

Compression CompressionOf(const std::string& word) {
  if (word == "lz4") return Compression::kLz4;
  if (word == "none") return Compression::kNone;
  return Compression::kAuto;
}

LoopRequest LoopOf(const CommandLine& line, const Settings& settings) {
  LoopRequest loop;
  if (line.Has("mode"))
    loop.mode =
        line.Value("mode") == "disk" ? LoopRequest::Mode::kDisk : LoopRequest::Mode::kMemory;
  if (const GivenOption* rounds = line.Find("rounds"))
    loop.rounds_max = static_cast<std::uint32_t>(NumberOf(*rounds->option, rounds->values.back()));
  loop.checkpoint_every = static_cast<std::uint32_t>(settings.Number("checkpoint-every", 0));
  loop.checkpoints_asked = line.Has("checkpoint-every");
  return loop;
}

constexpr std::size_t kSubmissionKeyBytesMax = 200;

}  // namespace

Result<std::map<std::string, std::string>> ReadSideFiles(const CommandLine& line) {
  std::map<std::string, std::string> files;
  for (const std::string& value : line.Values("file")) {
    const std::size_t equals = value.find('=');
    const std::string name = value.substr(0, equals);
    if (!files.emplace(name, value.substr(equals + 1)).second)
      return InvalidArgument("--file: '" + EscapeForLog(name) +
                             "' is given twice. Each side file has a name of its own.");
  }
  return files;
}

Result<SubmissionOptions> ReadSubmission(const CommandLine& line) {
  SubmissionOptions submission;
  submission.key = line.Value("submission-key");
  if (submission.key.size() > kSubmissionKeyBytesMax ||
      EscapeForLog(submission.key, 1'000) != submission.key)
    return InvalidArgument("--submission-key: '" + EscapeForLog(submission.key) +
                           "' is longer than " + std::to_string(kSubmissionKeyBytesMax) +
                           " bytes, or holds quotes, backslashes or control characters.");
  if (const GivenOption* priority = line.Find("priority"))
    submission.weight =
        static_cast<std::uint32_t>(NumberOf(*priority->option, priority->values.back()));
  submission.allow_nondeterminism = line.Has("allow-nondeterminism");
  for (const std::string& place : line.Values("place"))
    if (const Status added = submission.places.Add(place); !added.ok())
      return InvalidArgument("--place: " + added.message());
  return submission;
}

Status CheckLocalOptions(const CommandLine& line) {
  for (const char* name : {"submission-key", "priority", "place"})
    if (line.Has(name))
      return InvalidArgument("--" + std::string(name) +
                             " is for a cluster. Name its coordinator by --on, or leave it out.");
  return OkStatus();
}

Status CheckChainOptions(const CommandLine& line) {
  if (line.command->name == "submit")
    return InvalidArgument(
        "the job is a chain of several jobs, which the command sees through to its end. Use "
        "'spillway run', or start that in the background.");
  if (line.Has("submission-key"))
    return InvalidArgument(
        "--submission-key names one job, and this is a chain of several. Leave it out.");
  return OkStatus();
}

std::vector<std::string> ClusterWarnings(const CommandLine& line) {
  std::vector<std::string> warnings;
  for (const char* name : {"memory", "spill-dir", "in-memory"})
    if (line.Has(name))
      warnings.push_back("--" + std::string(name) +
                         " has no effect on a cluster: each worker was given its own.");
  return warnings;
}

RunDisplay ReadRunDisplay(const CommandLine& line, const Settings& settings) {
  RunDisplay display;
  display.dry_run = line.Has("dry-run");
  display.explain = line.Has("explain");
  display.quiet = line.Has("quiet");
  display.verbose = line.Has("verbose");
  display.no_color = settings.Truth("no-color");
  if (line.Has("json"))
    display.json = line.Value("json") == "events" ? JsonOutput::kEvents : JsonOutput::kSummary;
  const std::string progress = settings.Text("progress", "auto");
  if (progress == "plain") display.progress = ProgressOutput::kPlain;
  if (progress == "none") display.progress = ProgressOutput::kNone;
  return display;
}

Result<JobRequest> BuildJobRequest(const CommandLine& line, const Settings& settings,
                                   const std::string& plugin_dir) {
  SPILLWAY_RETURN_IF_ERROR(CheckContradictions(line));
  SPILLWAY_RETURN_IF_ERROR(CheckPresence(line));
  JobRequest request;
  request.allow_nondeterminism = line.Has("allow-nondeterminism");
  const std::string job = line.Has("plugin") ? line.Value("plugin") : line.operands[0];
  SPILLWAY_ASSIGN_OR_RETURN(request.plugin_path, ResolveJob(job, plugin_dir));
  SPILLWAY_ASSIGN_OR_RETURN(request.side_files, ReadSideFiles(line));
  request.args = line.job_arguments;
  request.inputs = line.Values("input");
  request.where = line.Values("where");
  request.output_dir = line.Value("output");
  if (line.Has("overwrite"))
    request.overwrite =
        line.Value("overwrite") == "partitions" ? Overwrite::kDirectories : Overwrite::kWhole;
  request.durable = !line.Has("no-sync");
  request.reducers = static_cast<std::uint32_t>(settings.Number("reducers", 0));
  request.threads = static_cast<std::uint32_t>(settings.Number("threads", 0));
  request.memory_bytes = settings.Number("memory", 0);
  request.split_bytes = settings.Number("split-size", 0);
  request.split_partition_bytes = settings.Number("split-partition", 0);
  request.spill_dirs = settings.List("spill-dir");
  request.compression = CompressionOf(settings.Text("compress", "auto"));
  request.in_memory = settings.Truth("in-memory");
  request.attempts_max =
      static_cast<std::uint32_t>(settings.Number("retries", kRetriesDefault)) + 1;
  request.skip_bad_max = static_cast<std::uint32_t>(settings.Number("skip-bad", 0));
  request.loop = LoopOf(line, settings);
  request.task_timeout_ms = settings.Number("timeout", request.task_timeout_ms);
  return request;
}

}  // namespace spillway
