#include "runtime/cli/loop_bench.h"

#include <unistd.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "mapreduce/base/units.h"
#include "runtime/comparison/output_match.h"
#include "runtime/storage/posix_file_system.h"
#include "runtime/storage/scratch_directory.h"

namespace spillway {
namespace {

struct Example {
  std::string_view name;
  SampleKind sample;
  std::string_view argument;  ///< Its usual one; may be empty.
};

constexpr Example kExamples[] = {
    {"k_means", SampleKind::kPoints, "10"},
    {"logistic_regression", SampleKind::kPoints, ""},
    {"page_rank", SampleKind::kGraph, ""},
    {"connected_components", SampleKind::kGraph, ""},
};

const Example* FindExample(const std::string& name) {
  for (const Example& example : kExamples)
    if (example.name == name) return &example;
  return nullptr;
}

std::string_view NounOf(SampleKind kind) {
  return kind == SampleKind::kPoints ? "points" : "edges of a graph";
}

std::string LastLine(std::string_view text) {
  while (text.ends_with('\n')) text.remove_suffix(1);
  const std::size_t begin = text.rfind('\n');
  return std::string(begin == std::string_view::npos ? text : text.substr(begin + 1));
}

/// Why a run failed, in its own words.
std::string FailureOf(const MeasuredEnd& end, const std::string& summary_message) {
  if (!summary_message.empty()) return summary_message;
  std::string said = LastLine(end.err);
  constexpr std::string_view kPrefix = "spillway: ";
  if (said.starts_with(kPrefix)) said.erase(0, kPrefix.size());
  return said.empty() ? "it ended with exit code " + std::to_string(end.exit_code) : said;
}

}  // namespace

std::vector<std::string> SampledExamples() {
  std::vector<std::string> names;
  for (const Example& example : kExamples) names.emplace_back(example.name);
  return names;
}

Status LoopBench::Run(std::vector<LoopComparison>* loops) {
  PosixFileSystem files;
  SPILLWAY_RETURN_IF_ERROR(ScratchDirectory::RemoveLeftovers(options_.scratch).status());
  SPILLWAY_ASSIGN_OR_RETURN(
      const std::unique_ptr<ScratchDirectory> scratch,
      ScratchDirectory::Create(options_.scratch, "bench-" + std::to_string(::getpid())));
  place_ = scratch->path();
  samples_.clear();
  for (const std::string& job : options_.jobs) {
    SPILLWAY_ASSIGN_OR_RETURN(LoopComparison loop, Compare(files, job));
    loops->push_back(std::move(loop));
  }
  return OkStatus();
}

void LoopBench::Cancel() {
  cancelled_ = true;
  child_.Cancel();
}

Result<LoopComparison> LoopBench::Compare(FileSystem& files, const std::string& job) {
  LoopComparison loop;
  loop.name = job;
  loop.memory.mode = "memory";
  loop.disk.mode = "disk";
  const Example* const example = FindExample(job);
  if (options_.arguments.has_value())
    loop.arguments = *options_.arguments;
  else if (example != nullptr && !example->argument.empty())
    loop.arguments = {std::string(example->argument)};
  std::vector<std::string> inputs = options_.inputs;
  if (inputs.empty()) {
    SPILLWAY_ASSIGN_OR_RETURN(inputs.emplace_back(), SampleFor(files, example->sample));
    loop.input = FormatBytes(options_.sample_bytes) + " of " + std::string(NounOf(example->sample));
  } else {
    for (const std::string& input : inputs) loop.input += (loop.input.empty() ? "" : " ") + input;
  }
  for (ModeFigures* mode : {&loop.memory, &loop.disk}) {
    options_.say(job + ": " + mode->mode + " mode");
    SPILLWAY_RETURN_IF_ERROR(RunMode(loop, inputs, mode));
  }
  if (loop.complete()) {
    SPILLWAY_ASSIGN_OR_RETURN(loop.difference,
                              DifferenceOf(files, OutputOf("memory"), OutputOf("disk")));
  }
  for (const ModeFigures* mode : {&loop.memory, &loop.disk})
    if (mode->ran()) SPILLWAY_RETURN_IF_ERROR(files.RemoveTree(OutputOf(mode->mode)));
  return loop;
}

Result<std::string> LoopBench::SampleFor(FileSystem& files, SampleKind kind) {
  const auto known = samples_.find(kind);
  if (known != samples_.end()) return known->second;
  const std::string path = place_ + (kind == SampleKind::kPoints ? "/points.txt" : "/edges.tsv");
  options_.say("making " + FormatBytes(options_.sample_bytes) + " of " + std::string(NounOf(kind)));
  SPILLWAY_RETURN_IF_ERROR(
      WriteSample(files, path, {kind, options_.sample_bytes, options_.seed}, cancelled_));
  samples_[kind] = path;
  return path;
}

Status LoopBench::RunMode(const LoopComparison& loop, const std::vector<std::string>& inputs,
                          ModeFigures* figures) {
  if (cancelled_) return Cancelled("interrupted");
  SPILLWAY_ASSIGN_OR_RETURN(const MeasuredEnd end,
                            child_.Run(WordsOf(loop, inputs, figures->mode)));
  if (cancelled_) return Cancelled("interrupted");
  figures->exit_code = end.exit_code;
  const Status read = ReadSummary(LastLine(end.out), figures);
  if (end.exit_code != 0) {
    figures->failure = FailureOf(end, figures->failure);
    return OkStatus();
  }
  SPILLWAY_RETURN_IF_ERROR(read);
  figures->wall_seconds = end.wall_seconds;
  // Where a cluster did the work, this process was only its client.
  if (!figures->here()) return OkStatus();
  figures->cpu_seconds = end.user_seconds + end.system_seconds;
  figures->system_seconds = end.system_seconds;
  return OkStatus();
}

std::vector<std::string> LoopBench::WordsOf(const LoopComparison& loop,
                                            const std::vector<std::string>& inputs,
                                            const std::string& mode) const {
  std::vector<std::string> words = {options_.program, "run", loop.name};
  for (const std::string& input : inputs) {
    words.emplace_back("-i");
    words.push_back(input);
  }
  for (const std::string& word :
       {std::string("-o"), OutputOf(mode), std::string("--mode"), mode, std::string("--spill-dir"),
        place_, std::string("--no-sync"), std::string("--quiet"), std::string("--json")})
    words.push_back(word);
  words.insert(words.end(), options_.flags.begin(), options_.flags.end());
  if (!loop.arguments.empty()) words.emplace_back("--");
  words.insert(words.end(), loop.arguments.begin(), loop.arguments.end());
  return words;
}

}  // namespace spillway
