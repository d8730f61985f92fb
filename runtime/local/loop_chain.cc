#include "runtime/local/loop_chain.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <utility>

#include "mapreduce/loop_file.h"
#include "runtime/storage/part_file.h"

namespace spillway {

namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* kLoopCounters = "loop";

std::string WithoutSlashes(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

std::uint64_t CounterOf(const JobReport& report, const std::string& name) {
  const auto group = report.counters.find(kLoopCounters);
  if (group == report.counters.end()) return 0;
  const auto found = group->second.find(name);
  return found == group->second.end() ? 0 : found->second;
}

/// What a round did, on top of those before it.
void AddRound(const JobReport& round, JobReport& total) {
  total.job_id = round.job_id;
  total.maps = round.maps;
  total.reduces = round.reduces;
  total.attempts_failed += round.attempts_failed;
  total.maps_rerun += round.maps_rerun;
  total.input_records += round.input_records;
  total.input_bytes += round.input_bytes;
  total.map_output_records += round.map_output_records;
  total.map_output_bytes += round.map_output_bytes;
  total.segment_records += round.segment_records;
  total.spills += round.spills;
  total.spilled_bytes += round.spilled_bytes;
  total.shuffled_bytes += round.shuffled_bytes;
  total.output_records = round.output_records;
  total.output_bytes = round.output_bytes;
  total.read_bytes += round.read_bytes;
  total.written_bytes += round.written_bytes;
  total.partition_output_bytes = round.partition_output_bytes;
  total.records_skipped += round.records_skipped;
  total.peak_rss_bytes = std::max(total.peak_rss_bytes, round.peak_rss_bytes);
  total.prepare_ms += round.prepare_ms;
  total.map_ms += round.map_ms;
  total.reduce_ms += round.reduce_ms;
  total.commit_ms += round.commit_ms;
  // A process tells its own processor time, which grows from round to round.
  const bool own = round.peak_rss_bytes != 0;
  total.cpu_seconds = own ? round.cpu_seconds : total.cpu_seconds + round.cpu_seconds;
  for (const auto& [group, counters] : round.counters)
    if (group != kLoopCounters)
      for (const auto& [name, count] : counters) total.counters[group][name] += count;
  total.warnings.insert(total.warnings.end(), round.warnings.begin(), round.warnings.end());
}

}  // namespace

LoopChain::LoopChain(PreparedJob job, RoundFactory prepare)
    : job_(std::move(job)),
      prepare_(std::move(prepare)),
      rounds_max_(job_.request.loop.rounds_max.value_or(job_.plugin->abi().loop->rounds_max)),
      output_(WithoutSlashes(job_.request.output_dir)) {}

LoopChain::~LoopChain() = default;

void LoopChain::Cancel() {
  cancel_.store(true);
  if (JobRunner* const runner = current_.load()) runner->Cancel();
}

JobProgress LoopChain::progress() const {
  const JobRunner* const runner = current_.load();
  JobProgress progress = runner == nullptr ? JobProgress() : runner->progress();
  progress.round = round_;
  progress.rounds_max = rounds_max_;
  return progress;
}

JobReport LoopChain::Run() {
  const Clock::time_point start = Clock::now();
  JobReport total;
  total.job_name = job_.plan.job_name;
  total.output_dir = job_.request.output_dir;
  total.loop.mode = "disk";
  total.status = RunRounds(total);
  rounds_.reset();
  total.total_ms = static_cast<std::uint64_t>(SecondsSince(start) * 1e3);
  return total;
}

std::string LoopChain::RoundDirectory(std::uint32_t round) const {
  return rounds_->path() + "/round-" + std::to_string(round);
}

Status LoopChain::WriteFirstFile(const std::string& path) {
  SPILLWAY_ASSIGN_OR_RETURN(const auto file, files_.Create(path));
  SPILLWAY_RETURN_IF_ERROR(file->Append(LoopFile{0, rounds_max_, {}}.Encode()));
  return file->Close();
}

Status LoopChain::RunRounds(JobReport& total) {
  SPILLWAY_ASSIGN_OR_RETURN(rounds_, WorkDirectory::Create(files_, output_));
  std::string file = rounds_->path() + "/first";
  SPILLWAY_RETURN_IF_ERROR(WriteFirstFile(file));
  for (std::uint32_t round = 0;; ++round) {
    const Clock::time_point start = Clock::now();
    SPILLWAY_RETURN_IF_ERROR(RunRound(round, file, total));
    const bool ended = total.loop.rounds == round && CounterOf(total, "ended") != 0;
    if (round == 0)
      total.loop.start_seconds = SecondsSince(start);
    else
      total.loop.iteration_seconds.push_back(SecondsSince(start));
    if (ended) break;
    if (round > 0) SPILLWAY_RETURN_IF_ERROR(files_.RemoveTree(RoundDirectory(round - 1)));
    file = RoundDirectory(round) + "/" + PartName(0);
  }
  total.loop.converged = CounterOf(total, "converged") != 0;
  total.counters.erase(kLoopCounters);
  return Publish(RoundDirectory(total.loop.rounds));
}

Status LoopChain::RunRound(std::uint32_t round, const std::string& file, JobReport& total) {
  JobRequest request = job_.request;
  request.loop = {};
  request.output_dir = RoundDirectory(round);
  request.overwrite = Overwrite::kNothing;
  request.side_files[SPILLWAY_LOOP_FILE] = file;
  SPILLWAY_ASSIGN_OR_RETURN(auto runner, prepare_(request));
  before_ = std::exchange(running_, std::move(runner));
  round_ = round;
  current_.store(running_.get());
  if (cancel_.load()) running_->Cancel();
  const JobReport report = running_->Run();
  AddRound(report, total);
  SPILLWAY_RETURN_IF_ERROR(report.status.Annotate("round " + std::to_string(round)));
  total.loop.rounds = round;
  total.counters[kLoopCounters] = {{"ended", CounterOf(report, "ended")},
                                   {"converged", CounterOf(report, "converged")}};
  return OkStatus();
}

Status LoopChain::Publish(const std::string& round_dir) {
  const Overwrite overwrite = job_.request.overwrite;
  if (overwrite != Overwrite::kNothing && files_.Stat(output_).ok()) {
    SPILLWAY_RETURN_IF_ERROR(CheckOutputPlace(files_, output_, overwrite));
    SPILLWAY_RETURN_IF_ERROR(files_.Exchange(round_dir, output_));
  } else {
    const Status renamed = files_.RenameNoReplace(round_dir, output_);
    if (renamed.code() == Code::kAlreadyExists)
      return AlreadyExists("the output '" + output_ +
                           "' came into being while the job ran; nothing was replaced");
    SPILLWAY_RETURN_IF_ERROR(renamed);
  }
  if (!job_.request.durable) return OkStatus();
  const std::size_t slash = output_.rfind('/');
  return files_.SyncDirectory(slash == std::string::npos ? "." : output_.substr(0, slash + 1));
}

}  // namespace spillway
