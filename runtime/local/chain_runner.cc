#include "runtime/local/chain_runner.h"

#include <algorithm>
#include <set>
#include <utility>

#include "mapreduce/base/units.h"
#include "runtime/protocol/loop_pieces.h"
#include "runtime/storage/input_files.h"

namespace spillway {

namespace {

/// Takes a counter that is for this program alone. One at 0 may have been left out.
std::uint64_t TakeCounter(const std::string& name, JobReport& report) {
  const auto group = report.counters.find("loop");
  if (group == report.counters.end()) return 0;
  const auto found = group->second.find(name);
  if (found == group->second.end()) return 0;
  const std::uint64_t count = found->second;
  group->second.erase(found);
  if (group->second.empty()) report.counters.erase(group);
  return count;
}

double SecondsSince(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// Adds a stage's report to that of the stages before it.
void Add(JobReport&& stage, bool first, JobReport& all) {
  if (first) {
    all.input_records = stage.input_records;
    all.input_bytes = stage.input_bytes;
  }
  all.status = stage.status;
  all.job_id = std::move(stage.job_id);
  all.job_name = std::move(stage.job_name);
  all.maps += stage.maps;
  all.reduces += stage.reduces;
  all.combines += stage.combines;
  all.joined_partitions += stage.joined_partitions;
  all.attempts_failed += stage.attempts_failed;
  all.maps_rerun += stage.maps_rerun;
  all.map_output_records += stage.map_output_records;
  all.map_output_bytes += stage.map_output_bytes;
  all.segment_records += stage.segment_records;
  all.spills += stage.spills;
  all.spilled_bytes += stage.spilled_bytes;
  all.shuffled_bytes += stage.shuffled_bytes;
  all.output_records = stage.output_records;
  all.output_bytes = stage.output_bytes;
  all.read_bytes += stage.read_bytes;
  all.written_bytes += stage.written_bytes;
  all.records_skipped += stage.records_skipped;
  all.partition_output_bytes = std::move(stage.partition_output_bytes);
  if (first || stage.skew.shuffled_bytes > all.skew.shuffled_bytes)
    all.skew = std::move(stage.skew);
  all.peak_rss_bytes = std::max(all.peak_rss_bytes, stage.peak_rss_bytes);
  all.prepare_ms += stage.prepare_ms;
  all.map_ms += stage.map_ms;
  all.reduce_ms += stage.reduce_ms;
  all.commit_ms += stage.commit_ms;
  all.total_ms += stage.total_ms;
  // The embedded runner tells what this process used so far, others what the job used.
  all.cpu_seconds =
      stage.peak_rss_bytes > 0 ? stage.cpu_seconds : all.cpu_seconds + stage.cpu_seconds;
  for (const auto& [group, counters] : stage.counters)
    for (const auto& [name, count] : counters) all.counters[group][name] += count;
  for (std::string& warning : stage.warnings) all.warnings.push_back(std::move(warning));
}

}  // namespace

ChainRunner::ChainRunner(JobRequest request, std::unique_ptr<JobRunner> whole, StageFactory prepare)
    : request_(std::move(request)),
      whole_(std::move(whole)),
      prepare_(std::move(prepare)),
      mode_(request_.loop.mode == LoopRequest::Mode::kDisk ? SPILLWAY_STAGE_ON_DISK
                                                           : SPILLWAY_STAGE_IN_MEMORY),
      may_change_mode_(request_.loop.mode == LoopRequest::Mode::kAuto) {}

bool ChainRunner::IsLeftOut(std::uint32_t stage) const {
  const std::uint32_t when = plan().chain[stage].when;
  return when != SPILLWAY_STAGE_ALWAYS && when != mode_;
}

bool ChainRunner::MayRun(std::uint32_t stage) const {
  return may_change_mode_ || !IsLeftOut(stage);
}

std::string ChainRunner::PlaceOf(std::uint32_t stage) const {
  std::uint32_t number = 0, count = 0;
  for (std::uint32_t i = 0; i < stages(); ++i) {
    if (IsLeftOut(i)) continue;
    ++count;
    if (i <= stage) ++number;
  }
  return "stage " + std::to_string(number) + " of " + std::to_string(count);
}

std::uint32_t ChainRunner::RoundsOf(std::uint32_t stage) const {
  const std::uint32_t rounds = plan().chain[stage].rounds_max;
  return rounds == 0 ? 0 : request_.loop.rounds_max.value_or(rounds);
}

JobRequest ChainRunner::RequestOf(std::uint32_t stage, const std::string& output_dir) const {
  JobRequest request = request_;
  request.stage = stage;
  if (plan().chain[stage].loop) {
    request.loop.mode = LoopRequest::Mode::kMemory;
    request.loop.state_bytes = state_bytes_;
  } else {
    request.loop = {};
  }
  if (plan().chain[stage].chooses_reducers) request.reducers = 0;
  request.inputs.clear();
  request.where.clear();
  for (const std::uint32_t input : plan().chain[stage].inputs) {
    if (input == SPILLWAY_STAGE_CHAIN_INPUT) {
      request.inputs.insert(request.inputs.end(), inputs_.begin(), inputs_.end());
    } else {
      request.inputs.push_back(places_.DirectoryOf(input).value());
    }
  }
  if (output_dir == request_.output_dir) return request;
  request.output_dir = output_dir;
  request.overwrite = Overwrite::kNothing;
  request.durable = false;  // After a power cut the chain begins anew.
  return request;
}

Status ChainRunner::WriteChainFile(const std::string& path) {
  SPILLWAY_ASSIGN_OR_RETURN(const auto file, files_.Create(path));
  SPILLWAY_RETURN_IF_ERROR(file->Append(places_.Text()));
  return file->Close();
}

Status ChainRunner::RunOnce(std::uint32_t stage, const std::string& output_dir, JobReport* report) {
  JobRequest request = RequestOf(stage, output_dir);
  const std::string places = work_->path() + "/places-" + std::to_string(jobs_run_++);
  SPILLWAY_RETURN_IF_ERROR(WriteChainFile(places));
  request.side_files[SPILLWAY_CHAIN_FILE] = places;
  SPILLWAY_ASSIGN_OR_RETURN(auto runner, prepare_(request));
  before_ = std::exchange(current_, std::move(runner));
  stage_ = stage;
  running_ = current_.get();
  // A cancel that came before the runner was known has not reached it.
  if (cancelled_) current_->Cancel();
  *report = current_->Run();
  return report->status;
}

Status ChainRunner::RunStage(std::uint32_t stage, JobReport& all) {
  if (plan().chain[stage].rounds_max > 0) return RunRounds(stage, all);
  if (plan().chain[stage].loop) return RunLoop(stage, all);
  const std::string directory = stage + 1 == stages()
                                    ? request_.output_dir
                                    : work_->path() + "/stage-" + std::to_string(stage);
  JobReport report;
  const Status status = RunOnce(stage, directory, &report);
  state_bytes_ = std::max(state_bytes_, TakeCounter("state bytes", report));
  round_bytes_ = std::max(round_bytes_, TakeCounter("round bytes", report));
  Add(std::move(report), stage == 0, all);
  places_.SetStage(stage, directory);
  return status;
}

/// A worker may come to hold all parts of the loop, when others are lost.
Status ChainRunner::CheckRound() const {
  if (plan().coordinator.empty() || round_bytes_ <= kLoopRoundBytesMax) return OkStatus();
  return InvalidArgument("a round of the loop leaves " + FormatBytes(round_bytes_) +
                         ", and on a cluster " + FormatBytes(kLoopRoundBytesMax) +
                         " can be told to the workers: use --mode disk");
}

Status ChainRunner::RunLoop(std::uint32_t stage, JobReport& all) {
  const double before = SecondsSince(began_);
  const std::string directory = work_->path() + "/stage-" + std::to_string(stage);
  JobReport report;
  Status status = CheckRound();
  if (status.ok()) status = RunOnce(stage, directory, &report);
  LoopReport loop = std::move(report.loop);
  Add(std::move(report), false, all);
  // What memory mode is not made for is found to be a wrong request. A full disk is none, and disk
  // mode would need more of it.
  if (status.code() == Code::kInvalidArgument && may_change_mode_) {
    all.warnings.push_back(status.message() + ". The rounds run in disk mode");
    mode_ = SPILLWAY_STAGE_ON_DISK;
    may_change_mode_ = false;
    return OkStatus();
  }
  may_change_mode_ = false;
  SPILLWAY_RETURN_IF_ERROR(status);
  all.loop = std::move(loop);
  all.loop.start_seconds += before;
  places_.SetStage(stage, directory);
  return OkStatus();
}

Status ChainRunner::RunRounds(std::uint32_t stage, JobReport& all) {
  all.loop.mode = "disk";
  all.loop.start_seconds = SecondsSince(began_);
  std::string last;
  for (std::uint32_t round = 0; round < RoundsOf(stage) && !all.loop.converged; ++round) {
    const Clock::time_point start = Clock::now();
    round_ = round + 1;
    std::string directory =
        work_->path() + "/stage-" + std::to_string(stage) + "-" + std::to_string(round);
    JobReport report;
    const Status status = RunOnce(stage, directory, &report);
    all.loop.converged = TakeCounter("changed", report) == 0 && status.ok();
    Add(std::move(report), false, all);
    SPILLWAY_RETURN_IF_ERROR(status.Annotate("round " + std::to_string(round + 1)));
    places_.SetStage(stage, directory);
    if (!last.empty()) SPILLWAY_RETURN_IF_ERROR(files_.RemoveTree(last));
    last = std::move(directory);
    ++all.loop.rounds;
    all.loop.iteration_seconds.push_back(SecondsSince(start));
  }
  round_ = 0;
  return OkStatus();
}

bool ChainRunner::IsReadBehind(std::uint32_t stage, std::uint32_t output) const {
  for (std::uint32_t later = stage + 1; later < stages(); ++later) {
    const auto& inputs = plan().chain[later].inputs;
    if (MayRun(later) && std::find(inputs.begin(), inputs.end(), output) != inputs.end())
      return true;
  }
  return false;
}

/// Removes what this stage or one before it has read, and none behind it reads.
void ChainRunner::RemoveRead(std::uint32_t stage) {
  std::set<std::uint32_t> read;
  for (std::uint32_t i = 0; i <= stage; ++i)
    read.insert(plan().chain[i].inputs.begin(), plan().chain[i].inputs.end());
  read.erase(SPILLWAY_STAGE_CHAIN_INPUT);
  for (const std::uint32_t output : read) {
    const auto directory = places_.DirectoryOf(output);
    if (!directory.ok() || IsReadBehind(stage, output)) continue;
    // The end of the work directory removes it otherwise.
    static_cast<void>(files_.RemoveTree(*directory).ok());
  }
}

/// What --where leaves of the input is found out here, for outputs of stages have no such
/// directories.
Status ChainRunner::FindInputs() {
  inputs_ = request_.inputs;
  if (request_.where.empty()) return OkStatus();
  SPILLWAY_ASSIGN_OR_RETURN(const PartitionFilter where, PartitionFilter::Parse(request_.where));
  SPILLWAY_ASSIGN_OR_RETURN(InputListing listing, ListInputFiles(files_, inputs_, where));
  inputs_.clear();
  for (FoundFile& file : listing.files) inputs_.push_back(std::move(file.path));
  return OkStatus();
}

Status ChainRunner::RunStages(JobReport& all) {
  began_ = Clock::now();
  SPILLWAY_RETURN_IF_ERROR(FindInputs());
  SPILLWAY_ASSIGN_OR_RETURN(work_, WorkDirectory::Create(files_, request_.output_dir));
  for (std::uint32_t stage = 0; stage < stages(); ++stage) {
    if (IsLeftOut(stage)) continue;
    SPILLWAY_RETURN_IF_ERROR(RunStage(stage, all).Annotate(PlaceOf(stage)));
    RemoveRead(stage);
  }
  return OkStatus();
}

JobReport ChainRunner::Run() {
  JobReport all;
  const Status status = RunStages(all);
  work_.reset();
  all.status = status;
  all.job_name = plan().job_name;
  all.output_dir = request_.output_dir;
  return all;
}

void ChainRunner::Cancel() {
  cancelled_ = true;
  JobRunner* const current = running_;
  if (current != nullptr) current->Cancel();
}

JobProgress ChainRunner::progress() const {
  const JobRunner* const current = running_;
  if (current == nullptr) return {};
  JobProgress progress = current->progress();
  progress.stage = PlaceOf(stage_);
  if (round_ > 0) {
    progress.round = round_;
    progress.rounds_max = RoundsOf(stage_);
  }
  return progress;
}

}  // namespace spillway
